# SPDX-License-Identifier: MIT
defmodule ElixirHello.MixProject do
  use Mix.Project

  def project do
    [
      app: :elixir_hello,
      version: "0.1.0",
      elixir: "~> 1.14",
      start_permanent: true,
      deps: [],
      releases: [
        elixir_hello: [
          # The release brings its own ERTS and libraries, as device images have it.
          include_erts: true,
          include_executables_for: [],
          strip_beams: true
        ]
      ]
    ]
  end

  def application do
    [extra_applications: [:logger, :iex], mod: {ElixirHello, []}]
  end
end
