// SPDX-License-Identifier: Apache-2.0
#include "persistence/spool_progress.hpp"

#include "persistence/spool_segment.hpp"

#include <fcntl.h>

#include <charconv>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

namespace eventweft::spool_files {

expected<progress> load_progress(const std::filesystem::path& directory) {
  const auto path = directory / "progress";
  progress out;
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    return out;
  auto f = file::open(path, O_RDONLY);
  if (!f)
    return fail(std::move(f.error()));
  auto size = f->size();
  if (!size)
    return fail(std::move(size.error()));
  auto text = f->read_at(0, *size);
  if (!text)
    return fail(std::move(text.error()));
  const auto* end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, out.segment);
  if (first.ec == std::errc{} && first.ptr != end && *first.ptr == ' ') {
    const auto second = std::from_chars(first.ptr + 1, end, out.dropped);
    if (second.ec == std::errc{} && second.ptr != end && *second.ptr == '\n')
      return out;
  }
  return fail(ec::corrupt, "unreadable: " + path.string());
}

expected<void> save_progress(const std::filesystem::path& directory,
                             const progress& reached) {
  const auto path = directory / "progress";
  const auto draft = directory / "progress.new";
  {
    auto f = file::open(draft, O_WRONLY | O_CREAT | O_TRUNC);
    if (!f)
      return fail(std::move(f.error()));
    const auto text = std::to_string(reached.segment) + " " +
                      std::to_string(reached.dropped) + "\n";
    if (auto done = f->write_at(0, text); !done)
      return done;
    // The name must not reach the disk before the content does.
    if (auto done = f->sync(); !done)
      return done;
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0)
    return fail_errno("replacing", path);
  return {};
}

} // namespace eventweft::spool_files
