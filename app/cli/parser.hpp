// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/cli.hpp"
#include "app/cli/commands.hpp"

namespace eventweft::cli {

/// `run` with its console; throws what the libraries under it throw.
int parse_and_run(int argc, const char* const* argv, const programs& start,
                  console& io);

} // namespace eventweft::cli
