// SPDX-License-Identifier: Apache-2.0
#include "persistence/spool.hpp"

#include "persistence/spool_progress.hpp"
#include "persistence/spool_segment.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace eventweft {

namespace fs = std::filesystem;
using spool_files::file;

namespace {

constexpr std::string_view suffix = ".spool";
constexpr std::string_view lock_name = "lock";

/// One look ahead holds no more than this, but for a single frame.
constexpr uint64_t peek_bytes = 8ull << 20;

fs::path segment_path(const fs::path& directory, uint64_t number) {
  auto digits = std::to_string(number);
  return directory /
         (std::string(20 - digits.size(), '0') + digits + std::string{suffix});
}

/// The number of a segment's file, nothing for another file.
std::optional<uint64_t> segment_number(const fs::path& path) {
  auto name = path.filename().string();
  uint64_t number = 0;
  auto* end = name.data() + name.size();
  if (name.size() != 20 + suffix.size() || !name.ends_with(suffix))
    return std::nullopt;
  auto [stop, failed] = std::from_chars(name.data(), end, number);
  if (failed != std::errc{} || stop != name.data() + 20)
    return std::nullopt;
  return number;
}

} // namespace

struct spool::impl {
  struct segment {
    uint64_t number = 0;
    file handle;
    /// The length of its good part.
    uint64_t bytes = 0;
    /// Those that `ahead` has not taken yet.
    std::deque<spool_files::frame> frames;
    /// Events in the file, and how many of them are gone.
    uint64_t events = 0;
    uint64_t dropped = 0;
  };

  spool_options options;
  file lock;
  std::deque<segment> segments;
  uint64_t next_number = 1;
  /// The oldest events, decoded, up to the first frame that is still in
  /// `frames`.
  std::deque<event_ptr> ahead;
  uint64_t events = 0;
  /// A write failed: there may be bytes behind the last segment's good part.
  bool dirty_tail = false;

  /// Makes the directory if it is not there, and takes it for this process.
  expected<void> take_directory();
  /// Whoever removed or moved the files took the names only: what is held is
  /// written anew, as nobody would find it after a crash.
  expected<void> put_back();
  expected<void> recover();
  expected<void> take_over(uint64_t number, bool last, uint64_t dropped);
  expected<void> add_segment();
  expected<void> write_frame(segment& s, std::string_view frame);
  static expected<std::vector<event_ptr>> decode(const segment& s,
                                                 const spool_files::frame& fr);
  expected<void> decode_front(segment& s);
  expected<void> look_ahead(size_t max);
  void remove_consumed();

  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const auto& s : segments)
      sum += s.bytes;
    return sum;
  }
};

expected<void> spool::impl::take_directory() {
  std::error_code failed;
  const bool made = fs::create_directories(options.directory, failed);
  if (failed)
    return fail(ec::store_unavailable, "making the spool's directory " +
                                           options.directory.string() + ": " +
                                           failed.message());
  if (made)
    if (auto done = spool_files::sync_directory(options.directory / "..");
        !done)
      return done;
  auto taken = file::open(options.directory / lock_name, O_RDWR | O_CREAT);
  if (!taken)
    return fail(std::move(taken.error()));
  if (::flock(taken->descriptor(), LOCK_EX | LOCK_NB) != 0)
    return fail(ec::conflict, "another process uses the spool in " +
                                  options.directory.string());
  lock = std::move(*taken);
  return {};
}

expected<void> spool::impl::put_back() {
  if (!lock.is_at(options.directory / lock_name))
    if (auto done = take_directory(); !done)
      return done;
  bool any = false;
  for (auto& s : segments) {
    const auto path = segment_path(options.directory, s.number);
    if (s.handle.is_at(path))
      continue;
    const auto text = s.handle.read_at(0, s.bytes);
    if (!text)
      return fail(text.error());
    auto copy = spool_files::write_whole(path, *text);
    if (!copy)
      return fail(std::move(copy.error()));
    s.handle = std::move(*copy);
    any = true;
    if (&s == &segments.back())
      dirty_tail = false;
  }
  if (!any)
    return {};
  return spool_files::sync_directory(options.directory);
}

expected<void> spool::impl::recover() {
  const auto reached = spool_files::load_progress(options.directory);
  if (!reached)
    return fail(reached.error());
  const auto first = reached->segment;
  std::vector<uint64_t> numbers;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{options.directory, failed})
    if (auto number = segment_number(entry.path()))
      numbers.push_back(*number);
  if (failed)
    return fail(ec::store_unavailable, "reading " + options.directory.string() +
                                           ": " + failed.message());
  std::sort(numbers.begin(), numbers.end());
  next_number = std::max(numbers.empty() ? 0 : numbers.back(), first) + 1;
  for (auto number : numbers) {
    if (number < first) {
      fs::remove(segment_path(options.directory, number), failed);
      continue;
    }
    bool last = number == numbers.back();
    if (auto done =
            take_over(number, last, number == first ? reached->dropped : 0);
        !done)
      return done;
  }
  remove_consumed();
  return {};
}

expected<void> spool::impl::take_over(uint64_t number, bool last,
                                      uint64_t dropped) {
  auto path = segment_path(options.directory, number);
  auto f = file::open(path, O_RDWR);
  if (!f)
    return fail(std::move(f.error()));
  auto size = f->size();
  if (!size)
    return fail(std::move(size.error()));
  auto found = spool_files::scan(*f);
  if (!found)
    return fail(std::move(found.error()));
  if (found->damaged || (!last && found->end != *size))
    return fail(ec::corrupt, "the spool's segment " + path.string() +
                                 " is damaged at byte " +
                                 std::to_string(found->end));
  if (found->frames.empty()) {
    // Died before its first frame was whole.
    std::error_code ignored;
    fs::remove(path, ignored);
    return {};
  }
  if (found->end != *size) {
    auto done = f->truncate(found->end);
    if (done)
      done = f->sync();
    if (!done)
      return done;
  }
  segment s;
  s.number = number;
  s.handle = std::move(*f);
  s.bytes = found->end;
  for (const auto& fr : found->frames) {
    s.frames.push_back(fr);
    s.events += fr.count;
  }
  s.dropped = std::min(dropped, s.events);
  events += s.events - s.dropped;
  auto gone = s.dropped;
  while (!s.frames.empty() && gone >= s.frames.front().count) {
    gone -= s.frames.front().count;
    s.frames.pop_front();
  }
  if (gone != 0) {
    if (auto done = decode_front(s); !done)
      return done;
    ahead.erase(ahead.begin(), ahead.begin() + static_cast<ptrdiff_t>(gone));
  }
  segments.push_back(std::move(s));
  return {};
}

expected<void> spool::impl::add_segment() {
  auto path = segment_path(options.directory, next_number);
  auto f = file::open(path, O_RDWR | O_CREAT | O_EXCL);
  if (!f)
    return fail(std::move(f.error()));
  auto ready = f->write_at(0, spool_files::magic);
  if (ready)
    ready = f->sync();
  if (ready)
    ready = spool_files::sync_directory(options.directory);
  if (!ready) {
    std::error_code ignored;
    fs::remove(path, ignored);
    return ready;
  }
  segment s;
  s.number = next_number++;
  s.handle = std::move(*f);
  s.bytes = spool_files::magic.size();
  segments.push_back(std::move(s));
  dirty_tail = false;
  return {};
}

expected<void> spool::impl::write_frame(segment& s, std::string_view frame) {
  if (dirty_tail) {
    if (auto done = s.handle.truncate(s.bytes); !done)
      return done;
    dirty_tail = false;
  }
  auto done = s.handle.write_at(s.bytes, frame);
  if (done)
    done = s.handle.sync();
  if (!done)
    dirty_tail = !s.handle.truncate(s.bytes);
  return done;
}

expected<std::vector<event_ptr>>
spool::impl::decode(const segment& s, const spool_files::frame& fr) {
  auto text = s.handle.read_at(fr.offset, fr.bytes);
  if (!text)
    return fail(std::move(text.error()));
  return spool_files::decode_frame(*text);
}

/// Moves the first frame of `s` to the end of `ahead`.
expected<void> spool::impl::decode_front(segment& s) {
  auto decoded = decode(s, s.frames.front());
  if (!decoded)
    return fail(std::move(decoded.error()));
  ahead.insert(ahead.end(), decoded->begin(), decoded->end());
  s.frames.pop_front();
  return {};
}

/// Decodes frames until `max` events are at hand.
expected<void> spool::impl::look_ahead(size_t max) {
  uint64_t taken = 0;
  for (auto& s : segments) {
    while (!s.frames.empty()) {
      auto bytes = s.frames.front().bytes;
      if (ahead.size() >= max || (!ahead.empty() && taken + bytes > peek_bytes))
        return {};
      if (auto done = decode_front(s); !done)
        return done;
      taken += bytes;
    }
  }
  return {};
}

void spool::impl::remove_consumed() {
  std::error_code ignored;
  while (!segments.empty() &&
         segments.front().dropped == segments.front().events) {
    // What can't be removed now is removed when the spool is opened again. A
    // file in its place is somebody else's.
    const auto path = segment_path(options.directory, segments.front().number);
    if (segments.front().handle.is_at(path))
      fs::remove(path, ignored);
    segments.pop_front();
  }
}

spool::spool(std::unique_ptr<impl> p) : impl_(std::move(p)) {}

spool::~spool() = default;

expected<std::unique_ptr<spool>> spool::open(const spool_options& options) {
  auto p = std::make_unique<impl>();
  p->options = options;
  if (auto done = p->take_directory(); !done)
    return fail(std::move(done.error()));
  if (auto done = p->recover(); !done)
    return fail(std::move(done.error()));
  return std::unique_ptr<spool>{new spool{std::move(p)}};
}

expected<void> spool::append(std::span<const event_ptr> events) {
  if (events.empty())
    return {};
  auto frame = spool_files::encode_frame(events);
  if (!frame)
    return fail(std::move(frame.error()));
  if (impl_->bytes() + frame->size() > impl_->options.max_bytes)
    return fail(ec::store_full, "the spool has reached its limit of " +
                                    std::to_string(impl_->options.max_bytes) +
                                    " bytes");
  if (auto done = impl_->put_back(); !done)
    return done;
  auto& segments = impl_->segments;
  bool roomy =
      !segments.empty() && segments.back().bytes < impl_->options.segment_bytes;
  // Bytes that could not be cut off must stay in the last segment.
  if (segments.empty() || (!roomy && !impl_->dirty_tail))
    if (auto done = impl_->add_segment(); !done)
      return done;
  auto& last = segments.back();
  if (auto done = impl_->write_frame(last, *frame); !done)
    return done;
  auto count = static_cast<uint32_t>(events.size());
  last.frames.push_back({last.bytes, frame->size(), count});
  last.bytes += frame->size();
  last.events += count;
  impl_->events += count;
  return {};
}

expected<std::vector<event_ptr>> spool::peek(size_t max) {
  if (auto done = impl_->look_ahead(max); !done)
    return fail(std::move(done.error()));
  auto count = std::min(max, impl_->ahead.size());
  auto begin = impl_->ahead.begin();
  return std::vector<event_ptr>(begin, begin + static_cast<ptrdiff_t>(count));
}

expected<void> spool::drop(size_t count) {
  count = std::min<uint64_t>(count, impl_->events);
  if (count == 0)
    return {};
  // What can't be put back is on its way out all the same.
  const bool ours = impl_->put_back().has_value();
  auto at = impl_->segments.begin();
  while (count != 0) {
    if (impl_->ahead.empty())
      if (auto done = impl_->look_ahead(1); !done)
        return done;
    while (at->dropped == at->events)
      ++at;
    auto n = std::min({count, impl_->ahead.size(),
                       static_cast<size_t>(at->events - at->dropped)});
    auto begin = impl_->ahead.begin();
    impl_->ahead.erase(begin, begin + static_cast<ptrdiff_t>(n));
    at->dropped += n;
    impl_->events -= n;
    count -= n;
  }
  // Without the note they would come back after a crash, which is allowed.
  if (ours)
    static_cast<void>(spool_files::save_progress(impl_->options.directory,
                                                 {at->number, at->dropped}));
  impl_->remove_consumed();
  return {};
}

spool_state spool::state() const noexcept {
  return {impl_->events, impl_->bytes()};
}

expected<std::vector<spooled_event>> spool::held() const {
  std::vector<spooled_event> all;
  all.reserve(impl_->events);
  const auto add = [&all](const std::vector<event_ptr>& events) {
    for (const auto& e : events)
      all.push_back({e->platform, e->event_id, e->id});
  };
  add({impl_->ahead.begin(), impl_->ahead.end()});
  for (const auto& s : impl_->segments)
    for (const auto& fr : s.frames) {
      auto events = impl::decode(s, fr);
      if (!events)
        return fail(std::move(events.error()));
      add(*events);
    }
  return all;
}

} // namespace eventweft
