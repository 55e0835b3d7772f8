// SPDX-License-Identifier: Apache-2.0
#include "app/node_keeper.hpp"

#include "app/cluster_ring.hpp"
#include "messages/backoff.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr size_t most_rings = 1'000;
/// Also how late a keeper notices what it was not woken for.
constexpr milliseconds longest_sleep{1'000};
constexpr milliseconds listen_turn{500};

} // namespace

node_keeper::node_keeper(std::shared_ptr<membership> members,
                         std::unique_ptr<store_nodes> store, hooks h,
                         logger_ptr log)
    : members_(std::move(members)),
      store_(std::move(store)),
      hooks_(std::move(h)),
      log_(std::move(log)) {
  members_->on_hurry([this] {
    std::lock_guard guard{mutex_};
    hurry_ = true;
    wake_.notify_all();
  });
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

node_keeper::~node_keeper() {
  members_->on_hurry({});
}

void node_keeper::ring(std::string text) {
  std::lock_guard guard{mutex_};
  if (rings_.size() >= most_rings) {
    rings_.clear();
    text = general_ring;
  }
  rings_.push_back(std::move(text));
  wake_.notify_all();
}

void node_keeper::leave() {
  std::unique_lock lock{mutex_};
  if (left_)
    return;
  leaving_ = true;
  wake_.notify_all();
  wake_.wait_for(lock, 8s, [this] { return left_; });
}

bool node_keeper::left() const {
  std::lock_guard guard{mutex_};
  return left_;
}

void node_keeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool leaving = false;
    bool done = false;
    {
      std::unique_lock lock{mutex_};
      const auto due = std::chrono::ceil<milliseconds>(members_->next_turn() -
                                                       members_->now());
      wake_.wait_for(
          lock, stop,
          left_ ? longest_sleep
                : std::clamp(due, milliseconds{0}, longest_sleep),
          [this] { return hurry_ || !rings_.empty() || (leaving_ && !left_); });
      hurry_ = false;
      leaving = leaving_;
      done = left_;
    }
    ring_all();
    if (leaving && !done) {
      if (auto gone = members_->leave(*store_); !gone)
        log_->warn("cluster: could not say goodbye ({}); the others notice "
                   "when the leases end",
                   gone.error().message);
      std::lock_guard guard{mutex_};
      left_ = true;
      wake_.notify_all();
    } else if (!done && members_->now() >= members_->next_turn()) {
      turn();
    }
  }
}

void node_keeper::turn() {
  const auto turned = members_->turn(*store_);
  if (turned) {
    if (hooks_.turned)
      hooks_.turned(*store_);
  } else if (turned.error().code == ec::conflict && members_->name_taken() &&
             hooks_.fatal) {
    std::exchange(hooks_.fatal, nullptr)(turned.error().message);
  }
}

void node_keeper::ring_all() {
  for (;;) {
    std::string text;
    {
      std::lock_guard guard{mutex_};
      if (rings_.empty())
        return;
      text = std::move(rings_.front());
      rings_.pop_front();
    }
    if (store_->ring(text))
      continue;
    // Whoever listens is away as well and looks at everything when it is back.
    std::lock_guard guard{mutex_};
    rings_.clear();
    return;
  }
}

bell_listener::bell_listener(std::unique_ptr<store_listener> store,
                             std::function<void(const store_bell&)> heard,
                             std::atomic<bool>& connected,
                             std::shared_ptr<random_source> random,
                             logger_ptr log)
    : store_(std::move(store)),
      heard_(std::move(heard)),
      connected_(connected),
      random_(std::move(random)),
      log_(std::move(log)) {
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

bell_listener::~bell_listener() = default;

void bell_listener::run(const std::stop_token& stop) {
  backoff pauses{100ms, 2s};
  bool failing = false;
  while (!stop.stop_requested()) {
    const auto bells = store_->wait(listen_turn);
    if (bells) {
      pauses.reset();
      connected_ = true;
      if (std::exchange(failing, false))
        log_->info("cluster: the database wakes this node again");
      for (const auto& b : *bells)
        heard_(b);
      continue;
    }
    connected_ = false;
    if (!std::exchange(failing, true))
      log_->warn("cluster: the database does not wake this node ({})",
                 bells.error().message);
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, pauses.next(*random_), [] { return false; });
  }
}

} // namespace eventweft
