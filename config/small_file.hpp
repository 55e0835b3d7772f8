// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <filesystem>
#include <string>

/// Files that people write, read as a whole: at most 1 MiB of them.
namespace eventweft::config {

/// The content, which may be empty, of a file, a pipe or a device.
/// `bad_configuration` begins with `what` and the path.
expected<std::string> read_file(const std::filesystem::path& path,
                                const std::string& what);

/// The content of a file that must not be empty. `bad_configuration` names the
/// file.
expected<std::string> read_small_file(const std::string& path);

} // namespace eventweft::config
