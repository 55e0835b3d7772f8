// SPDX-License-Identifier: Apache-2.0
#include "app/embed/internal_readers.hpp"

#include "app/actor_host.hpp"
#include "app/embed/access.hpp"
#include "codec/event_json.hpp"
#include "codec/filter.hpp"
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
    filter_ = codec::compiled_filter{stream->filter, spec_.filter};
    // The follower takes one filter; the other one is looked at here.
    const auto& coarse = codec::leading_filter(stream->filter, spec_.filter);
    follower_options options;
    options.name = "internal";
    inbox_ = std::make_shared<inbox>();
    follower_ =
        source.actors.follow(coarse, cursor, options,
                             [in = inbox_](log_range_ptr x) { in->put(x); });
    figures_ = &source.figures;
    log_ = source.log;
    figures_->reader_opened(spec_.stream, reader_kind::internal);
    finished_ = false;
    thread_ = std::jthread{[this](const std::stop_token& s) { run(s); }};
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
    follower_.reset();
    figures_->reader_closed(spec_.stream, reader_kind::internal);
  }

  bool on_own_thread() const noexcept {
    return thread_id_ == std::this_thread::get_id();
  }

  /// Its thread has nothing left to do.
  bool finished() const noexcept { return finished_; }

  InternalSubscription state() const {
    return {spec_.id,          spec_.stream,   spec_.subscriber,
            delivered_.load(), failed_.load(), std::max<int64_t>(cursor_, 0)};
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

    std::mutex mutex;
    std::condition_variable_any filled;
    std::deque<log_range_ptr> pieces;
  };

  void run(const std::stop_token& stop) {
    thread_id_ = std::this_thread::get_id();
    follow(stop);
    thread_id_ = std::thread::id{};
    finished_ = true;
  }

  void follow(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      follower_->want();
      log_range_ptr piece;
      {
        std::unique_lock lock{inbox_->mutex};
        inbox_->filled.wait(lock, stop,
                            [this] { return !inbox_->pieces.empty(); });
        if (stop.stop_requested())
          return;
        piece = std::move(inbox_->pieces.front());
        inbox_->pieces.pop_front();
      }
      for (const auto& ev : piece->events) {
        if (stop.stop_requested())
          return;
        if (filter_.matches(*ev))
          deliver(ev);
        cursor_ = ev->seq;
      }
      cursor_ = std::max(cursor_.load(), piece->last);
    }
  }

  void deliver(const event_ptr& ev) noexcept {
    try {
      spec_.callback(access::wrap(ev));
      ++delivered_;
      log_event(*log_, ev->id, "delivered to subscription {} ({})", spec_.id,
                spec_.subscriber);
    } catch (const std::exception& e) {
      failed(*ev, e.what());
    } catch (...) {
      failed(*ev, "an exception that is no std::exception");
    }
    figures_->events_sent(spec_.stream, 1, ev->payload.size());
  }

  void failed(const event& ev, const char* why) noexcept {
    ++failed_;
    log_event(*log_, spdlog::level::warn, ev.id,
              "subscription {} ({}): the callback threw: {}", spec_.id,
              spec_.subscriber, why);
  }

  const reader_spec spec_;
  codec::compiled_filter filter_;
  std::shared_ptr<inbox> inbox_;
  std::unique_ptr<log_follower> follower_;
  metrics* figures_ = nullptr;
  logger_ptr log_;
  std::atomic<seq_t> cursor_ = -1;
  std::atomic<uint64_t> delivered_ = 0;
  std::atomic<uint64_t> failed_ = 0;
  std::atomic<std::thread::id> thread_id_;
  std::atomic<bool> finished_ = true;
  std::mutex stopping_;
  /// Last: it uses all of the above.
  std::jthread thread_;
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
  std::lock_guard guard{mutex_};
  readers_.emplace(r->spec().id, std::move(r));
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
  for (const auto& r : all())
    r->start(source);
  source_ = std::make_unique<reader_source>(std::move(source));
}

void internal_readers::detach() noexcept {
  std::vector<reader_ptr> leaving;
  {
    std::lock_guard attaching{attaching_};
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
