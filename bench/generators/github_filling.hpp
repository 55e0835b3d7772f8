// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace eventweft::bench {

/// An array of whole `repository` objects as GitHub sends them, with an owner
/// and all their addresses: of `repo` and then of forks of it, until there are
/// `bytes` bytes or a little more. Most of a real payload is made of these, so
/// it is written, checked and compressed as a real one is. `salt`, at least 16
/// hexadecimal digits, makes the ids.
std::string github_filling(std::string_view repo, std::string_view salt,
                           size_t bytes);

} // namespace eventweft::bench
