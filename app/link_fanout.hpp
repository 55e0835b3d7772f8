// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/mesh.hpp"
#include "actors/fanout.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace eventweft {

/// Hands what other nodes are to know to the links, while there are any; drops
/// it else. Thread-safe.
class link_fanout final : public fanout {
 public:
  void set(std::shared_ptr<mesh> links) {
    std::lock_guard guard{mutex_};
    links_ = std::move(links);
    if (links_)
      links_->wants_events(wanted_);
  }

  std::shared_ptr<mesh> get() const {
    std::lock_guard guard{mutex_};
    return links_;
  }

  void committed(const log_range_ptr& range) override {
    if (const auto links = get())
      links->committed(range);
  }

  void replied(const uuid& event,
               const std::optional<processing::reply>& r) override {
    if (const auto links = get())
      links->replied(event, r);
  }

  bool hears_replies() const override {
    const auto links = get();
    return links && links->hears_replies();
  }

  void wants_events(bool wanted) override {
    std::lock_guard guard{mutex_};
    wanted_ = wanted;
    if (links_)
      links_->wants_events(wanted);
  }

  std::optional<append_relay> relay() const override {
    const auto links = get();
    return links ? links->relay() : std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<mesh> links_;
  /// For links that come later.
  bool wanted_ = true;
};

} // namespace eventweft
