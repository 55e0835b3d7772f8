// SPDX-License-Identifier: Apache-2.0
#include "app/embed/internal_readers.hpp"

#include "app/actor_host.hpp"
#include "app/embed/access.hpp"
#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "processing/processor.hpp"
#include "telemetry/behind.hpp"
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <optional>
#include <thread>

namespace eventweft::embed {

namespace {

/// Each has a thread.
constexpr size_t max_readers = 1'000;

} // namespace

seq_t cursor_of(const start_point& start, net::backend& line) {
  if (start.from == start_point::kind::after_seq)
    return start.seq;
  // What comes after this call must be seen, so the end is looked up now.
  event_query question;
  question.limit = 1;
  const bool at_time = start.from == start_point::kind::at_time;
  if (at_time) {
    question.since = start.time;
    question.ascending = true;
  }
  const auto answer = std::make_shared<std::promise<expected<event_page>>>();
  auto answered = answer->get_future();
  line.query(question, [answer](expected<event_page> page) {
    answer->set_value(std::move(page));
  });
  const auto page = unwrap(answered.get());
  if (!page.events.empty())
    return page.events.front()->seq - (at_time ? 1 : 0);
  return at_time ? cursor_of(start_point::end(), line) : 0;
}

class internal_readers::reader {
 public:
  explicit reader(reader_spec spec) : spec_(std::move(spec)) {}

  const reader_spec& spec() const noexcept { return spec_; }

  /// Throws `Error`; nothing runs then.
  void start(const reader_source& source) {
    const auto stream = source.actors.streams().get(spec_.stream);
    if (!stream)
      raise(stream.error());
    seq_t cursor = cursor_;
    if (cursor < 0 || !source.durable)
      cursor = cursor_of(spec_.start, source.actors.backend());
    cursor_ = cursor;
    log_ = source.log;
    follower_options options;
    options.name = "internal";
    auto in = std::make_shared<inbox>();
    {
      std::lock_guard guard{following_};
      figures_ = &source.figures;
      time_ = source.actors.context().time;
      inbox_ = in;
      shown_ = stream->filter;
      streams_ = &source.actors.streams();
      behind_.reset();
      follower_ = source.actors.follow(
          {stream->filter, spec_.filter}, cursor, options,
          [in](log_range_ptr x) { in->put(std::move(x)); });
    }
    figures_->reader_opened(spec_.stream, reader_kind::internal);
    finished_ = false;
    thread_ =
        std::jthread{[this, in](const std::stop_token& s) { run(s, *in); }};
    // It may have changed before the reader could be told.
    look_at_stream();
  }

  /// From its own thread: only asks it to end.
  void stop() noexcept {
    if (on_own_thread()) {
      thread_.request_stop();
      return;
    }
    std::lock_guard guard{stopping_};
    if (!thread_.joinable())
      return;
    thread_.request_stop();
    thread_.join();
    std::lock_guard following{following_};
    follower_.reset();
    figures_->reader_closed(spec_.stream, reader_kind::internal);
  }

  /// Its filter may be another one by now, or the stream may be gone, and so
  /// nothing comes any more. Whoever asks last sees what is so at last.
  void look_at_stream() {
    std::lock_guard guard{following_};
    if (!follower_ || !shown_)
      return;
    const auto now = streams_->find(spec_.stream);
    if (!now) {
      shown_.reset();
      inbox_->close();
    } else if (now->filter != *shown_) {
      shown_ = now->filter;
      follower_->change_stream(now->filter);
    }
  }

  bool on_own_thread() const noexcept {
    return thread_id_ == std::this_thread::get_id();
  }

  /// Its thread has nothing left to do.
  bool finished() const noexcept { return finished_; }

  InternalSubscription state() {
    InternalSubscription out;
    out.id = spec_.id;
    out.stream = spec_.stream;
    out.subscriber = spec_.subscriber;
    out.active = !finished_;
    std::lock_guard guard{following_};
    const seq_t at = cursor_;
    const auto seen = follower_ ? follower_->seen() : std::nullopt;
    out.cursor = std::max({seq_t{0}, at, seen.value_or(0)});
    out.delivered = delivered_;
    out.failed = failed_;
    out.matched = matched_;
    out.last_seq = last_seq_;
    if (!follower_)
      return out;
    const auto now = time_->now();
    const auto head = figures_->head();
    out.lag_events = std::max<seq_t>(head - out.cursor, 0);
    auto since = behind_.since(out.cursor, head, now);
    if (const auto in_hand = in_hand_since_.load(); in_hand != 0)
      since = std::min(since.value_or(now),
                       timestamp{timestamp::duration{in_hand}});
    if (since)
      out.lag_seconds =
          std::max(std::chrono::duration<double>(now - *since).count(), 0.0);
    return out;
  }

 private:
  /// Between the follower's threads and this one's. Holds what was asked for:
  /// one piece.
  struct inbox {
    void put(log_range_ptr x) {
      std::lock_guard guard{mutex};
      pieces.push_back(std::move(x));
      filled.notify_one();
    }

    void close() {
      std::lock_guard guard{mutex};
      closed = true;
      filled.notify_one();
    }

    /// Null once there is nothing to wait for any more.
    log_range_ptr take(const std::stop_token& stop) {
      std::unique_lock lock{mutex};
      filled.wait(lock, stop, [this] { return closed || !pieces.empty(); });
      if (closed || stop.stop_requested())
        return nullptr;
      auto out = std::move(pieces.front());
      pieces.pop_front();
      return out;
    }

    std::mutex mutex;
    std::condition_variable_any filled;
    std::deque<log_range_ptr> pieces;
    bool closed = false;
  };

  void run(const std::stop_token& stop, inbox& in) {
    thread_id_ = std::this_thread::get_id();
    follow(stop, in);
    thread_id_ = std::thread::id{};
    finished_ = true;
  }

  void follow(const std::stop_token& stop, inbox& in) {
    for (;;) {
      follower_->want();
      const auto piece = in.take(stop);
      if (!piece)
        return;
      for (const auto& ev : piece->events) {
        if (stop.stop_requested())
          return;
        deliver(ev);
        cursor_ = ev->seq;
      }
      cursor_ = std::max(cursor_.load(), piece->last);
    }
  }

  void deliver(const event_ptr& ev) noexcept {
    ++matched_;
    in_hand_since_ = ev->created_at.time_since_epoch().count();
    try {
      spec_.callback(access::wrap(ev));
      ++delivered_;
      last_seq_ = ev->seq;
      log_event(*log_, ev->id, "delivered to subscription {} ({})", spec_.id,
                spec_.subscriber);
    } catch (const std::exception& e) {
      failed(*ev, e.what());
    } catch (...) {
      failed(*ev, "an exception that is no std::exception");
    }
    in_hand_since_ = 0;
    figures_->events_matched(spec_.stream, 1);
    figures_->events_sent(spec_.stream, 1, ev->payload.size(), ev->seq);
  }

  void failed(const event& ev, const char* why) noexcept {
    ++failed_;
    log_event(*log_, spdlog::level::warn, ev.id,
              "subscription {} ({}): the callback threw: {}", spec_.id,
              spec_.subscriber,
              codec::utf8_prefix(why ? why : "", processing::longest_error));
  }

  const reader_spec spec_;
  metrics* figures_ = nullptr;
  logger_ptr log_;
  std::atomic<seq_t> cursor_ = -1;
  std::atomic<uint64_t> matched_ = 0;
  std::atomic<uint64_t> delivered_ = 0;
  std::atomic<uint64_t> failed_ = 0;
  std::atomic<seq_t> last_seq_ = 0;
  /// When the event came in that the callback has just now; 0: none.
  std::atomic<timestamp::rep> in_hand_since_ = 0;
  std::atomic<std::thread::id> thread_id_;
  std::atomic<bool> finished_ = true;
  std::mutex stopping_;
  /// Held for a moment only.
  std::mutex following_;
  std::shared_ptr<const clock> time_;
  const stream_catalogue* streams_ = nullptr;
  std::shared_ptr<inbox> inbox_;
  /// Its own thread uses it without the lock: it goes after that has ended.
  std::unique_ptr<log_follower> follower_;
  /// What it takes to be the stream's filter; nothing: the stream is gone.
  std::optional<eventweft::filter> shown_;
  behind behind_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

/// What a catalogue tells of streams reaches the readers through this, until
/// they leave it.
struct internal_readers::stream_watch {
  std::mutex mutex;
  const internal_readers* all = nullptr;

  void changed(const stream_event& e) {
    std::lock_guard guard{mutex};
    if (!all)
      return;
    for (const auto& r : all->all())
      if (r->spec().stream == e.name)
        r->look_at_stream();
  }

  void end() {
    std::lock_guard guard{mutex};
    all = nullptr;
  }
};

internal_readers::internal_readers() = default;

internal_readers::~internal_readers() {
  clear();
}

std::vector<internal_readers::reader_ptr> internal_readers::all() const {
  std::lock_guard guard{mutex_};
  std::vector<reader_ptr> out;
  for (const auto& [id, r] : readers_)
    out.push_back(r);
  return out;
}

void internal_readers::add(reader_spec spec) {
  auto r = std::make_shared<reader>(std::move(spec));
  sweep();
  std::lock_guard attaching{attaching_};
  {
    std::lock_guard guard{mutex_};
    if (readers_.size() >= max_readers)
      throw Error{Errc::overloaded,
                  "there are a thousand subscriptions in this process"};
  }
  if (source_)
    r->start(*source_);
  {
    std::lock_guard guard{mutex_};
    readers_.emplace(r->spec().id, r);
  }
  // The same while nobody could find it.
  r->look_at_stream();
}

// What has left from within its own callback.
void internal_readers::sweep() {
  std::vector<reader_ptr> done;
  {
    std::lock_guard guard{mutex_};
    const auto first = std::stable_partition(
        leaving_.begin(), leaving_.end(),
        [](const reader_ptr& r) { return !r->finished(); });
    done.assign(first, leaving_.end());
    leaving_.erase(first, leaving_.end());
  }
  for (const auto& r : done)
    r->stop();
}

bool internal_readers::remove(const std::string& id) {
  reader_ptr gone;
  {
    std::lock_guard guard{mutex_};
    const auto found = readers_.find(id);
    if (found == readers_.end())
      return false;
    gone = std::move(found->second);
    readers_.erase(found);
    leaving_.push_back(gone);
  }
  gone->stop();
  if (gone->on_own_thread())
    return true;
  std::lock_guard guard{mutex_};
  std::erase(leaving_, gone);
  return true;
}

std::vector<InternalSubscription> internal_readers::list() const {
  std::vector<InternalSubscription> out;
  for (const auto& r : all())
    out.push_back(r->state());
  return out;
}

void internal_readers::attach(reader_source source) {
  std::lock_guard attaching{attaching_};
  watch_ = std::make_shared<stream_watch>();
  watch_->all = this;
  source.actors.streams().watch([w = std::weak_ptr{watch_}](const auto& e) {
    if (const auto watch = w.lock())
      watch->changed(e);
  });
  for (const auto& r : all())
    r->start(source);
  source_ = std::make_unique<reader_source>(std::move(source));
}

void internal_readers::detach() noexcept {
  std::vector<reader_ptr> leaving;
  {
    std::lock_guard attaching{attaching_};
    if (watch_)
      watch_->end();
    source_.reset();
    std::lock_guard guard{mutex_};
    leaving = std::move(leaving_);
    leaving_.clear();
  }
  for (const auto& r : leaving)
    r->stop();
  for (const auto& r : all())
    r->stop();
}

void internal_readers::clear() noexcept {
  detach();
  std::lock_guard guard{mutex_};
  readers_.clear();
}

} // namespace eventweft::embed
