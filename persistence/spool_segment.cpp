// SPDX-License-Identifier: Apache-2.0
#include "persistence/spool_segment.hpp"

#include "codec/event_json.hpp"
#include "codec/json_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace eventweft::spool_files {
namespace {

void put32(std::string& out, size_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(value >> shift & 0xFF);
}

uint32_t get32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

uint32_t checksum(std::string_view a, std::string_view b) {
  auto add = [](uLong sum, std::string_view text) {
    auto* bytes = reinterpret_cast<const Bytef*>(text.data());
    return ::crc32_z(sum, bytes, text.size());
  };
  return static_cast<uint32_t>(add(add(0, a), b));
}

/// The frame at `offset`, if there is a whole and good one.
expected<std::optional<frame>> frame_at(const file& segment, uint64_t offset,
                                        uint64_t size) {
  if (offset + frame_header_bytes > size)
    return std::nullopt;
  auto header = segment.read_at(offset, frame_header_bytes);
  if (!header)
    return fail(std::move(header.error()));
  auto length = get32(*header, 0);
  auto count = get32(*header, 4);
  if (length == 0 || count == 0 || offset + frame_header_bytes + length > size)
    return std::nullopt;
  auto records = segment.read_at(offset + frame_header_bytes, length);
  if (!records)
    return fail(std::move(records.error()));
  if (checksum(std::string_view{*header}.substr(0, 8), *records) !=
      get32(*header, 8))
    return std::nullopt;
  return frame{offset, frame_header_bytes + length, count};
}

/// Whether these may be the first bytes of a frame, of which `room` are there:
/// text is none, so that hardly any place has to be read to be sure.
bool may_begin_frame(std::string_view header, uint64_t room) {
  constexpr uint32_t least_record = 5 * 4;
  const auto length = get32(header, 0);
  const auto count = get32(header, 4);
  return count != 0 && count <= length / least_record &&
         frame_header_bytes + length <= room;
}

/// Whether there is a whole and good frame anywhere from `offset` on.
expected<bool> holds_frame(const file& segment, uint64_t offset,
                           uint64_t size) {
  constexpr uint64_t step = 1u << 20;
  for (; offset + frame_header_bytes <= size; offset += step) {
    // The last places of a piece have their headers' ends in the next one.
    const auto piece = segment.read_at(
        offset, std::min(size - offset, step + frame_header_bytes - 1));
    if (!piece)
      return fail(piece.error());
    for (size_t i = 0; i + frame_header_bytes <= piece->size(); ++i) {
      if (!may_begin_frame(std::string_view{*piece}.substr(i),
                           size - offset - i))
        continue;
      const auto found = frame_at(segment, offset + i, size);
      if (!found)
        return fail(found.error());
      if (*found)
        return true;
    }
  }
  return false;
}

} // namespace

tl::unexpected<error> fail_errno(std::string_view doing,
                                 const std::filesystem::path& path) {
  auto number = errno;
  auto code = number == ENOSPC || number == EDQUOT ? ec::store_full
                                                   : ec::store_unavailable;
  return fail(code, std::string{doing} + " " + path.string() + ": " +
                        std::strerror(number));
}

file::~file() {
  if (fd_ >= 0)
    ::close(fd_);
}

file::file(file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

file& file::operator=(file&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

expected<file> file::open(const std::filesystem::path& path, int flags) {
  file f;
  f.fd_ = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (f.fd_ < 0)
    return fail_errno("opening", path);
  return f;
}

expected<void> file::write_at(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n =
        ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_errno("writing", "the spool");
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

expected<std::string> file::read_at(uint64_t offset, size_t length) const {
  std::string out(length, '\0');
  size_t done = 0;
  while (done < length) {
    auto n = ::pread(fd_, out.data() + done, length - done,
                     static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_errno("reading", "the spool");
    if (n == 0)
      return fail(ec::corrupt, "the spool's segment is shorter than it was");
    done += static_cast<size_t>(n);
  }
  return out;
}

expected<void> file::sync() {
  if (::fdatasync(fd_) != 0)
    return fail_errno("syncing", "the spool");
  return {};
}

expected<void> file::truncate(uint64_t length) {
  if (::ftruncate(fd_, static_cast<off_t>(length)) != 0)
    return fail_errno("truncating", "the spool");
  return {};
}

expected<uint64_t> file::size() const {
  struct stat s {};
  if (::fstat(fd_, &s) != 0)
    return fail_errno("looking at", "the spool");
  return static_cast<uint64_t>(s.st_size);
}

bool file::is_at(const std::filesystem::path& path) const noexcept {
  struct stat mine {
  }, found{};
  return ::fstat(fd_, &mine) == 0 && ::stat(path.c_str(), &found) == 0 &&
         mine.st_ino == found.st_ino && mine.st_dev == found.st_dev;
}

expected<scan_result> scan(const file& segment) {
  auto size = segment.size();
  if (!size)
    return fail(std::move(size.error()));
  scan_result result;
  // Only what no other frame follows can be torn, wherever that one stands: it
  // may be the bad one's length that is wrong.
  const auto follow_up = [&](uint64_t from) -> expected<scan_result> {
    const auto more = holds_frame(segment, from, *size);
    if (!more)
      return fail(more.error());
    result.damaged = *more;
    return result;
  };
  if (*size < magic.size())
    return result;
  auto begin = segment.read_at(0, magic.size());
  if (!begin)
    return fail(std::move(begin.error()));
  if (*begin != magic) {
    // Zeros are a file whose length reached the disk before its bytes did.
    result.damaged = begin->find_first_not_of('\0') != std::string::npos;
    if (!result.damaged)
      return follow_up(magic.size());
    return result;
  }
  result.end = magic.size();
  for (;;) {
    auto next = frame_at(segment, result.end, *size);
    if (!next)
      return fail(std::move(next.error()));
    if (!*next)
      break;
    result.frames.push_back(**next);
    result.end += (*next)->bytes;
  }
  return follow_up(result.end + 1);
}

expected<std::string> encode_frame(std::span<const event_ptr> events) {
  std::string records;
  auto put_text = [&records](auto append) {
    auto at = records.size();
    put32(records, 0);
    append();
    std::string size;
    put32(size, records.size() - at - 4);
    records.replace(at, 4, size);
  };
  for (const auto& e : events) {
    put_text([&] { codec::append_native(records, *e); });
    const auto& d = e->details;
    for (const auto* text : {&d.github, &d.linear, &d.slack, &d.deployment})
      put_text([&] { records += *text; });
  }
  if (records.size() > UINT32_MAX)
    return fail(ec::too_large, "a batch over 4 GiB does not fit the spool");
  std::string bytes;
  bytes.reserve(frame_header_bytes + records.size());
  put32(bytes, records.size());
  put32(bytes, events.size());
  put32(bytes, checksum(bytes, records));
  return bytes + records;
}

expected<std::vector<event_ptr>> decode_frame(std::string_view bytes) {
  auto broken = [] {
    return fail(ec::corrupt, "a damaged frame in the spool");
  };
  if (bytes.size() < frame_header_bytes)
    return broken();
  auto records = bytes.substr(frame_header_bytes);
  if (get32(bytes, 0) != records.size() ||
      checksum(bytes.substr(0, 8), records) != get32(bytes, 8))
    return broken();
  auto take_text = [&records]() -> std::optional<std::string_view> {
    if (records.size() < 4 || get32(records, 0) > records.size() - 4)
      return std::nullopt;
    auto text = records.substr(4, get32(records, 0));
    records.remove_prefix(4 + text.size());
    return text;
  };
  std::vector<event_ptr> events;
  while (!records.empty()) {
    auto native = take_text();
    if (!native)
      return broken();
    auto e = codec::parse_native(*native);
    if (!e)
      return fail(ec::corrupt, "the spool: " + e.error().message);
    if (auto readable = codec::readable_json(e->payload.view()))
      e->payload_readable = shared_text{std::move(*readable)};
    auto& d = e->details;
    for (auto* member : {&d.github, &d.linear, &d.slack, &d.deployment}) {
      auto text = take_text();
      if (!text)
        return broken();
      *member = *text;
    }
    events.emplace_back(std::move(*e));
  }
  if (events.size() != get32(bytes, 4))
    return broken();
  return events;
}

expected<file> write_whole(const std::filesystem::path& path,
                           std::string_view bytes) {
  auto draft = path;
  draft += ".new";
  std::error_code ignored;
  // It may be a second name of what is to be kept.
  std::filesystem::remove(draft, ignored);
  auto out = file::open(draft, O_RDWR | O_CREAT | O_EXCL);
  if (!out)
    return out;
  auto done = out->write_at(0, bytes);
  if (done)
    done = out->sync();
  if (done && ::link(draft.c_str(), path.c_str()) != 0) {
    const int why = errno;
    // Some file systems know one name only.
    const bool one_name = why == EPERM || why == EOPNOTSUPP;
    if (!one_name || std::filesystem::exists(path, ignored) ||
        std::rename(draft.c_str(), path.c_str()) != 0) {
      errno = why;
      done = fail_errno("naming", path);
    }
  }
  std::filesystem::remove(draft, ignored);
  if (!done)
    return fail(std::move(done.error()));
  return out;
}

expected<void> sync_directory(const std::filesystem::path& directory) {
  auto d = file::open(directory, O_RDONLY | O_DIRECTORY);
  if (!d)
    return fail(std::move(d.error()));
  if (::fsync(d->descriptor()) != 0)
    return fail_errno("syncing", directory);
  return {};
}

} // namespace eventweft::spool_files
