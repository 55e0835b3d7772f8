// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/pool.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace eventweft::postgres {
namespace {

constexpr std::chrono::seconds idle_limit{60};

// Who uses a connection all the time comes back to it sooner.
constexpr std::chrono::milliseconds busy_pause{100};

} // namespace

connection_pool::connection_pool(store_options options, watchdog_ptr dog)
    : options_(std::move(options)), dog_(std::move(dog)) {
  // So that giving back never has to allocate.
  idle_.reserve(std::max<size_t>(options_.max_connections, 1));
}

expected<connection_pool::lease> connection_pool::acquire() {
  std::unique_lock lock{mutex_};
  auto limit = std::max<size_t>(options_.max_connections, 1);
  bool free = returned_.wait_for(lock, options_.connect_timeout,
                                 [&] { return lent_ < limit; });
  if (!free)
    return fail(ec::store_unavailable,
                "all " + std::to_string(limit) +
                    " connections to the database are in use");
  ++lent_;
  std::unique_ptr<connection> c;
  if (!idle_.empty()) {
    const auto chosen = choose(clock::now());
    c = std::move(chosen->it);
    idle_.erase(chosen);
  } else {
    c = std::make_unique<connection>(options_, dog_, made_);
  }
  return lease{c.release(), give_back{this}};
}

// This thread's own, or the last one that nobody is busy with, or the last one:
// the others may grow old.
connection_pool::idle_list::iterator
connection_pool::choose(clock::time_point now) {
  const auto latest = [&](auto&& fits) {
    const auto found = std::ranges::find_if(std::views::reverse(idle_), fits);
    return found == idle_.rend() ? idle_.end() : std::prev(found.base());
  };
  const auto me = std::this_thread::get_id();
  auto chosen = latest([&](const idle_connection& c) { return c.user == me; });
  if (chosen == idle_.end())
    chosen = latest(
        [&](const idle_connection& c) { return now - c.since > busy_pause; });
  return chosen != idle_.end() ? chosen : std::prev(idle_.end());
}

void connection_pool::release(connection* c) noexcept {
  std::unique_ptr<connection> returned{c};
  std::unique_ptr<connection> superfluous;
  {
    std::lock_guard lock{mutex_};
    --lent_;
    auto now = clock::now();
    if (returned->is_open())
      idle_.push_back({std::move(returned), now, std::this_thread::get_id()});
    // One at a time is enough: they were made one at a time.
    if (idle_.size() + lent_ > options_.min_connections && !idle_.empty() &&
        now - idle_.front().since > idle_limit) {
      superfluous = std::move(idle_.front().it);
      idle_.erase(idle_.begin());
    }
  }
  returned_.notify_one();
  // What is not kept is closed here, outside the lock.
}

connection_pool::counts connection_pool::state() const {
  std::lock_guard lock{mutex_};
  return {idle_.size(), lent_};
}

} // namespace eventweft::postgres
