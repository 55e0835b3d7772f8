// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

namespace eventweft {

/// `eventweft serve`: runs the hub until SIGTERM or SIGINT and returns the
/// process's exit code. SIGHUP makes it look at its keys and certificates. A
/// second signal ends the process at once. Prints `listening on
/// http://HOST:PORT` (or `https://…`) on standard output once it serves.
/// Belongs to the main thread and must be called before any other thread is
/// started, since all threads inherit its signal mask.
int run_serve(const config::settings& settings);

} // namespace eventweft
