# SPDX-License-Identifier: MIT
defmodule ElixirHello do
  @moduledoc "Greets with what config/runtime.exs found in the environment."
  use Application
  require Logger

  @impl true
  def start(_type, _args) do
    greeting = Application.fetch_env!(:elixir_hello, :greeting)
    root = Application.fetch_env!(:elixir_hello, :release_root)
    Logger.notice("elixir_hello: #{greeting}, Elixir #{System.version()}, release in #{root}")
    Supervisor.start_link([], strategy: :one_for_one)
  end
end
