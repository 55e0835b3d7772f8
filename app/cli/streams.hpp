// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/action.hpp"

#include <string>
#include <string_view>

/// `eventweft streams …`.
namespace eventweft::cli {

/// Of one stream in the API; what belongs to it is below that.
std::string stream_path(std::string_view stream);

/// Adds the command; `run` is what the chosen part of it leaves to be done. The
/// options live as long as `app`.
void add_streams(CLI::App& app, runner& run);

} // namespace eventweft::cli
