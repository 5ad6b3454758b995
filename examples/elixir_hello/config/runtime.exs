# SPDX-License-Identifier: MIT
import Config

# Read on the device at each boot: what init passes on is what the application sees.
config :elixir_hello,
  greeting: System.get_env("GREETING", "hello"),
  release_root: System.fetch_env!("RELEASE_ROOT")
