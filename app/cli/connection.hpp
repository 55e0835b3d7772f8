// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"
#include "app/cli/http_client.hpp"
#include "messages/errors.hpp"

#include <memory>

namespace CLI {
class App;
} // namespace CLI

namespace eventweft::cli {

/// `--url`, `--token`, `--ca`, `--cert` and `--cert-key`, as every command has
/// them that talks to a server. `server` is written to when the command line is
/// read.
void add_connection(CLI::App& app, connection& server);

expected<std::unique_ptr<http_client>> connect_to(const connection& server);

} // namespace eventweft::cli
