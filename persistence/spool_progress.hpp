// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <cstdint>
#include <filesystem>

/// How far a spool was read, kept in a file beside its segments:
///
///   progress := segment " " dropped "\n"    both as decimal digits
namespace eventweft::spool_files {

/// All segments before `segment` are gone, and so many events of that one.
struct progress {
  uint64_t segment = 0;
  uint64_t dropped = 0;
};

/// The beginning if the directory holds none yet; `corrupt` if it can't be
/// read.
expected<progress> load_progress(const std::filesystem::path& directory);

/// Takes the old one's place as a whole: a crash leaves either of them.
expected<void> save_progress(const std::filesystem::path& directory,
                             const progress& reached);

} // namespace eventweft::spool_files
