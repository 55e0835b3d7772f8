// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

/// The files of a spool.
///
///   segment  := magic frame*
///   magic    := "EWSPOOL1"
///   frame    := length:u32 count:u32 crc:u32 record*    one call of append
///   record   := text text{4}
///   text     := size:u32 bytes
///
/// The first text of a record is the event's native JSON, the others are its
/// details, empty but for those that it has.
///
/// Numbers are little-endian. `length` is that of all records, `crc` is
/// zlib's CRC-32 over `length`, `count` and the records. One frame is written
/// and synced at a time, so that only the last one can be torn.
namespace eventweft::spool_files {

/// An open file, closed at the end of its life.
class file {
 public:
  file() = default;
  ~file();
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;

  static expected<file> open(const std::filesystem::path& path, int flags);

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int descriptor() const noexcept { return fd_; }

  /// `store_full` if the disk has no room.
  expected<void> write_at(uint64_t offset, std::string_view bytes);
  expected<std::string> read_at(uint64_t offset, size_t length) const;
  expected<void> sync();
  expected<void> truncate(uint64_t length);
  expected<uint64_t> size() const;
  /// Whether `path` still leads to this file.
  bool is_at(const std::filesystem::path& path) const noexcept;

 private:
  int fd_ = -1;
};

inline constexpr std::string_view magic = "EWSPOOL1";
inline constexpr size_t frame_header_bytes = 12;

/// Where a frame lies in its segment.
struct frame {
  uint64_t offset = 0;
  uint64_t bytes = 0; ///< with its header
  uint32_t count = 0;
};

/// What a scan of a segment finds.
struct scan_result {
  std::vector<frame> frames;
  /// Where the good part ends.
  uint64_t end = 0;
  /// A good frame follows a bad one, however far behind it: this is damage,
  /// not a torn tail.
  bool damaged = false;
};

expected<scan_result> scan(const file& segment);

/// `too_large` if the events do not fit into one frame.
expected<std::string> encode_frame(std::span<const event_ptr> events);

/// `corrupt` if the bytes are not a frame or its records no events.
expected<std::vector<event_ptr>> decode_frame(std::string_view bytes);

/// A new file with these bytes, synced; `path` leads to it once it is whole.
/// `store_unavailable` if there is one of that name, which may be somebody's
/// events.
expected<file> write_whole(const std::filesystem::path& path,
                           std::string_view bytes);

/// Makes what happened to the directory's entries durable.
expected<void> sync_directory(const std::filesystem::path& directory);

/// An error from errno: `store_full` for ENOSPC and EDQUOT, else
/// `store_unavailable`.
tl::unexpected<error> fail_errno(std::string_view doing,
                                 const std::filesystem::path& path);

} // namespace eventweft::spool_files
