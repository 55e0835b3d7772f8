// SPDX-License-Identifier: Apache-2.0
#include "actors/log_follower.hpp"

#include "actors/asker.hpp"
#include "actors/caf_compat.hpp"
#include "actors/subscription.hpp"
#include "messages/live.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// Far from the numbers of the readers that come in from outside.
constexpr subscription_id first_subscription = subscription_id{1} << 62;

constexpr std::chrono::milliseconds first_pause{200};
constexpr unsigned most_doublings = 5;

subscription_id next_subscription() {
  static std::atomic<subscription_id> last{first_subscription};
  return ++last;
}

} // namespace

/// One follower as its lane sees it.
class log_reader {
 public:
  virtual ~log_reader() = default;
  virtual void published(const lane_batch& batch) = 0;
  virtual void joined(uint32_t epoch, group_id group, log_range backlog) = 0;
  virtual void paged(uint32_t epoch, log_range events) = 0;
  virtual void ended() = 0;
};

class follower_lane final : public live_lane {
 public:
  reader_id enter(std::weak_ptr<log_reader> reader) {
    std::lock_guard guard{mutex_};
    readers_.emplace(++last_, std::move(reader));
    return last_;
  }

  void leave(reader_id id) {
    std::lock_guard guard{mutex_};
    readers_.erase(id);
  }

  void publish(lane_batch batch, std::function<void()> done) override {
    for (const auto& reader : all())
      reader->published(batch);
    done();
  }

  void join(reader_id id, uint32_t epoch, group_id group,
            log_range backlog) override {
    if (auto reader = find(id))
      reader->joined(epoch, group, std::move(backlog));
  }

  void page(reader_id id, uint32_t epoch, log_range events) override {
    if (auto reader = find(id))
      reader->paged(epoch, std::move(events));
  }

  void end(reader_id id, reader_end, std::string) override {
    if (auto reader = find(id))
      reader->ended();
  }

 private:
  std::shared_ptr<log_reader> find(reader_id id) {
    std::lock_guard guard{mutex_};
    auto i = readers_.find(id);
    return i == readers_.end() ? nullptr : i->second.lock();
  }

  std::vector<std::shared_ptr<log_reader>> all() {
    std::vector<std::shared_ptr<log_reader>> out;
    std::lock_guard guard{mutex_};
    out.reserve(readers_.size());
    for (const auto& [id, reader] : readers_)
      if (auto r = reader.lock())
        out.push_back(std::move(r));
    return out;
  }

  std::mutex mutex_;
  reader_id last_ = 0;
  std::unordered_map<reader_id, std::weak_ptr<log_reader>> readers_;
};

std::shared_ptr<follower_lane> make_follower_lane() {
  return std::make_shared<follower_lane>();
}

class log_follower::inner final : public log_reader,
                                  public std::enable_shared_from_this<inner> {
 public:
  inner(caf::actor_system& sys, actor_context ctx, followed_events what,
        seq_t after, follower_options options, sink deliver)
      : sys_(sys),
        ctx_(std::move(ctx)),
        lane_(ctx_.followers ? ctx_.followers : make_follower_lane()),
        what_(std::move(what)),
        options_(std::move(options)),
        deliver_(std::move(deliver)),
        buffer_{after + 1, after, {}} {
    options_.max_events = std::max(options_.max_events, 1u);
  }

  void start() {
    id_ = lane_->enter(weak_from_this());
    std::lock_guard guard{mutex_};
    subscribe();
    ask_next();
  }

  void stop() {
    lane_->leave(id_);
    std::lock_guard guard{mutex_};
    stopped_ = true;
    if (auto old = std::exchange(subscription_, subscription_actor{}))
      end_actor(old, caf::exit_reason::user_shutdown);
  }

  void want() {
    hand_over([this] { wanted_ = true; });
  }

  void change_stream(filter stream) {
    hand_over([&] {
      what_.stream = std::move(stream);
      if (subscription_)
        tell_anon(subscription_, put_atom_v, what_.stream);
      // What waits here went through another filter.
      if (!buffer_.events.empty())
        buffer_.last = buffer_.events.front()->seq - 1;
      buffer_.events.clear();
      bytes_ = 0;
      change_mind();
    });
  }

  std::optional<seq_t> seen() {
    std::lock_guard guard{mutex_};
    if (stopped_ || !wanted_ || !buffer_.events.empty() || buffer_.last < 0)
      return std::nullopt;
    return buffer_.last;
  }

  void published(const lane_batch& batch) override {
    hand_over([&] {
      if (mode_ != mode::live || batch.last <= buffer_.last)
        return;
      for (const auto& [group, range] : batch.groups)
        if (group == group_)
          take(range->events);
      buffer_.last = batch.last;
      if (too_much())
        change_mind();
    });
  }

  void joined(uint32_t epoch, group_id group, log_range backlog) override {
    hand_over([&] {
      if (epoch != epoch_ || mode_ != mode::asked)
        return;
      take_range(std::move(backlog));
      group_ = group;
      mode_ = mode::live;
      if (too_much())
        change_mind();
    });
  }

  void paged(uint32_t epoch, log_range events) override {
    hand_over([&] {
      if (epoch != epoch_ || mode_ != mode::asked)
        return;
      take_range(std::move(events));
      mode_ = mode::idle;
    });
  }

  // Whoever served us is gone: another one, after a pause.
  void ended() override {
    auto pause = first_pause;
    {
      std::lock_guard guard{mutex_};
      change_mind();
      subscription_ = nullptr;
      if (stopped_ || std::exchange(resting_, true))
        return;
      pause *= 1u << std::min(failures_++, most_doublings);
    }
    // Not under the lock: what nobody takes is over at once.
    auto job = std::make_shared<pause_job>(weak_from_this(), pause);
    if (auto asker = ctx_.peers->askers.next())
      tell_anon(asker, ask_job_ptr{std::move(job)});
  }

 private:
  enum class mode { idle, asked, live };

  /// Lets time pass, or not, if the asker dies meanwhile.
  class pause_job final : public ask_job {
   public:
    pause_job(std::weak_ptr<inner> who, std::chrono::milliseconds pause)
        : who_(std::move(who)), pause_(pause) {}

    ~pause_job() override {
      if (auto follower = who_.lock())
        follower->resume();
    }

    void run(asker_actor::pointer self) override {
      run_after(self, pause_, [me = shared_from_this()] {});
    }

   private:
    std::weak_ptr<inner> who_;
    std::chrono::milliseconds pause_;
  };

  /// Lets what has no events in it grow, but not for ever.
  class quiet_job final : public ask_job {
   public:
    quiet_job(std::weak_ptr<inner> who, uint64_t piece,
              std::chrono::milliseconds pause)
        : who_(std::move(who)), piece_(piece), pause_(pause) {}

    ~quiet_job() override {
      if (auto follower = who_.lock())
        follower->quiet_for_long(piece_);
    }

    void run(asker_actor::pointer self) override {
      run_after(self, pause_, [me = shared_from_this()] {});
    }

   private:
    std::weak_ptr<inner> who_;
    uint64_t piece_;
    std::chrono::milliseconds pause_;
  };

  void quiet_for_long(uint64_t piece) {
    hand_over([&] {
      quiet_armed_ = false;
      quiet_due_ = piece == pieces_;
    });
  }

  void resume() {
    std::lock_guard guard{mutex_};
    resting_ = false;
    if (stopped_)
      return;
    subscribe();
    ask_next();
  }

  // -- with the mutex held ---------------------------------------------------

  void subscribe() {
    subscription_options options;
    options.page_events = options_.max_events;
    options.page_bytes = options_.max_bytes;
    subscription_spec spec;
    spec.id = next_subscription();
    spec.request.id = id_;
    spec.request.lane = lane_;
    spec.request.stream = options_.name;
    spec.request.filter = what_.own;
    spec.stream_filter = what_.stream;
    if (buffer_.last >= 0)
      spec.request.start = start_point::after(buffer_.last);
    subscription_ = spawn_subscription(sys_, ctx_, options, std::move(spec));
  }

  void ask_next() {
    if (!subscription_ || stopped_)
      return;
    mode_ = mode::asked;
    tell_anon(subscription_, next_atom_v, epoch_, buffer_.last);
  }

  /// What was asked for or is live is no longer wanted.
  void change_mind() {
    ++epoch_;
    mode_ = mode::idle;
  }

  void take(const std::vector<event_ptr>& events) {
    for (const auto& ev : events) {
      if (ev->seq <= buffer_.last)
        continue;
      bytes_ += ev->footprint();
      buffer_.events.push_back(ev);
    }
  }

  void take_range(log_range range) {
    failures_ = 0;
    // The present end, if that is where it was to begin.
    if (buffer_.last < 0)
      buffer_ = {range.first, range.first - 1, {}};
    take(range.events);
    buffer_.last = std::max(buffer_.last, range.last);
  }

  bool too_much() const {
    return buffer_.events.size() > options_.max_events ||
           bytes_ > options_.max_bytes;
  }

  log_range_ptr next_piece() {
    if (!wanted_ || buffer_.last < buffer_.first)
      return nullptr;
    if (buffer_.events.empty() && !quiet_due_ &&
        buffer_.last - buffer_.first + 1 < options_.quiet_events)
      return nullptr;
    wanted_ = false;
    quiet_due_ = false;
    ++pieces_;
    auto piece = std::make_shared<log_range>();
    piece->first = buffer_.first;
    uint64_t size = 0;
    auto& all = buffer_.events;
    size_t n = 0;
    while (n < all.size() && n < options_.max_events &&
           (n == 0 || size + all[n]->footprint() <= options_.max_bytes))
      size += all[n++]->footprint();
    auto end = all.begin() + static_cast<std::ptrdiff_t>(n);
    piece->last = n == all.size() ? buffer_.last : all[n]->seq - 1;
    piece->events.assign(std::make_move_iterator(all.begin()),
                         std::make_move_iterator(end));
    all.erase(all.begin(), end);
    bytes_ -= size;
    buffer_.first = piece->last + 1;
    return piece;
  }

  // --------------------------------------------------------------------------

  /// Does `change` and hands over what it made ready.
  template <class F>
  void hand_over(F change) {
    log_range_ptr piece;
    std::optional<uint64_t> quiet;
    {
      std::lock_guard guard{mutex_};
      if (stopped_)
        return;
      change();
      piece = next_piece();
      if (!piece && wanted_ && buffer_.last >= buffer_.first &&
          !std::exchange(quiet_armed_, true))
        quiet = pieces_;
      if (mode_ == mode::idle && !resting_ && !too_much())
        ask_next();
    }
    if (piece)
      deliver_(std::move(piece));
    // Not under the lock: what nobody takes is over at once.
    if (quiet)
      wait_quietly(*quiet);
  }

  void wait_quietly(uint64_t piece) {
    auto job = std::make_shared<quiet_job>(weak_from_this(), piece,
                                           options_.quiet_time);
    if (auto asker = ctx_.peers->askers.next())
      tell_anon(asker, ask_job_ptr{std::move(job)});
  }

  caf::actor_system& sys_;
  actor_context ctx_;
  std::shared_ptr<follower_lane> lane_;
  followed_events what_;
  follower_options options_;
  sink deliver_;
  reader_id id_ = 0;

  std::mutex mutex_;
  subscription_actor subscription_;
  mode mode_ = mode::idle;
  uint32_t epoch_ = 0;
  group_id group_ = 0;
  /// From what was handed over to what is known.
  log_range buffer_;
  uint64_t bytes_ = 0;
  bool wanted_ = false;
  bool stopped_ = false;
  bool resting_ = false;
  unsigned failures_ = 0;
  /// Handed over so far; what was armed for an earlier one is late.
  uint64_t pieces_ = 0;
  bool quiet_armed_ = false;
  bool quiet_due_ = false;
};

log_follower::log_follower(caf::actor_system& sys, actor_context ctx,
                           followed_events what, seq_t after,
                           follower_options options, sink deliver)
    : inner_(std::make_shared<inner>(sys, std::move(ctx), std::move(what),
                                     std::max<seq_t>(after, -1),
                                     std::move(options), std::move(deliver))) {
  inner_->start();
}

log_follower::~log_follower() {
  inner_->stop();
}

void log_follower::want() {
  inner_->want();
}

void log_follower::change_stream(filter stream) {
  inner_->change_stream(std::move(stream));
}

std::optional<seq_t> log_follower::seen() const {
  return inner_->seen();
}

} // namespace eventweft
