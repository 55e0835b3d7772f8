// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace eventweft {

/// What each sender of this node is doing, for whoever wants to know. The
/// senders keep it up to date. Thread-safe.
class delivery_board {
 public:
  /// `behind_since`: from when on something has been waiting. `follows`: the
  /// sender takes what is new as it comes; if not, all beyond its cursor waits.
  void set(const uuid& id, subscription_figures figures,
           std::optional<timestamp> behind_since, bool follows) {
    std::lock_guard guard{mutex_};
    all_.insert_or_assign(id, entry{std::move(figures), behind_since, follows});
  }

  /// What the store has of one that no sender of this node serves; with its
  /// cursor where it was, it has been waiting since it first did.
  void set_stored(const uuid& id, subscription_figures figures,
                  std::optional<timestamp> oldest) {
    std::lock_guard guard{mutex_};
    auto& e = all_[id];
    if (oldest || figures.cursor != e.figures.cursor)
      e.behind_since = oldest;
    e.figures = std::move(figures);
    e.follows = false;
  }

  /// As it is now, with the log's end at `head`: a sender that waits for hours
  /// says nothing meanwhile.
  subscription_figures of(const uuid& id, seq_t head, timestamp now) {
    std::lock_guard guard{mutex_};
    auto i = all_.find(id);
    if (i == all_.end())
      return {};
    auto& e = i->second;
    auto f = e.figures;
    if (!e.follows)
      f.lag_events = f.open + std::max<seq_t>(head - f.cursor, 0);
    if (f.lag_events == 0)
      return f;
    if (!e.behind_since)
      e.behind_since = now;
    f.lag_seconds = std::max(
        0.0, std::chrono::duration<double>(now - *e.behind_since).count());
    return f;
  }

  void erase(const uuid& id) {
    std::lock_guard guard{mutex_};
    all_.erase(id);
  }

 private:
  struct entry {
    subscription_figures figures;
    std::optional<timestamp> behind_since;
    bool follows = false;
  };

  std::mutex mutex_;
  std::map<uuid, entry> all_;
};

} // namespace eventweft
