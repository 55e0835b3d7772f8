// SPDX-License-Identifier: Apache-2.0
#include "codec/match_memo.hpp"

#include "codec/filter_program.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <optional>

namespace eventweft::codec {

namespace {

bool asks_for_threads(const filter_program& p) {
  return std::any_of(p.parts.begin(), p.parts.end(),
                     [](const auto& part) { return !part.threads.empty(); });
}

} // namespace

/// Two readers may try the same event at once; both find the same.
struct match_memo::block {
  /// Nothing if this event was not tried, or another one with its seq.
  std::optional<bool> verdict(const event& ev) const noexcept {
    const auto mark = slot(ev).load(std::memory_order_relaxed);
    if (mark >> 1 != mark_of(ev))
      return std::nullopt;
    return (mark & 1u) != 0;
  }

  void learn(const event& ev, bool matches) noexcept {
    slot(ev).store(mark_of(ev) << 1 | (matches ? 1u : 0u),
                   std::memory_order_relaxed);
  }

 private:
  using mark_t = std::atomic<uint32_t>;

  /// 30 bits of the id, never 0. A log that was put in the place of another
  /// one gives its seqs to other events.
  static uint32_t mark_of(const event& ev) noexcept {
    const uint64_t h = std::hash<uuid>{}(ev.id);
    return static_cast<uint32_t>(h ^ (h >> 32)) >> 1 | 1u;
  }

  const mark_t& slot(const event& ev) const noexcept {
    return marks_[static_cast<uint64_t>(ev.seq) % block_events];
  }
  mark_t& slot(const event& ev) noexcept {
    return marks_[static_cast<uint64_t>(ev.seq) % block_events];
  }

  std::array<mark_t, block_events> marks_{};
};

size_t match_memo::place_hash::operator()(const place& p) const noexcept {
  return std::hash<std::string>{}(p.key) ^
         (std::hash<seq_t>{}(p.number) * 0x9e37'79b9'7f4a'7c15u);
}

match_memo::match_memo(size_t max_blocks)
    : max_blocks_(std::max<size_t>(max_blocks, 1)) {}

match_memo::~match_memo() = default;

size_t match_memo::keep_matching(const compiled_filter& f,
                                 std::vector<event_ptr>& events) {
  if (f.program().parts.empty())
    return 0;
  size_t tried = 0;
  if (asks_for_threads(f.program())) {
    tried = events.size();
    std::erase_if(events, [&f](const auto& ev) { return !f.matches(*ev); });
    return tried;
  }
  std::shared_ptr<block> known;
  seq_t number = -1;
  std::erase_if(events, [&](const event_ptr& ev) {
    const auto wanted = ev->seq / static_cast<seq_t>(block_events);
    if (wanted != number) {
      known = block_of(f.key(), wanted);
      number = wanted;
    }
    auto matches = known->verdict(*ev);
    if (!matches) {
      ++tried;
      matches = f.matches(*ev);
      known->learn(*ev, *matches);
    }
    return !*matches;
  });
  return tried;
}

std::shared_ptr<match_memo::block> match_memo::block_of(const std::string& key,
                                                        seq_t number) {
  const std::lock_guard guard{mutex_};
  place wanted{key, number};
  if (const auto found = by_place_.find(wanted); found != by_place_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, found->second);
    return found->second->second;
  }
  if (blocks_.size() == max_blocks_) {
    by_place_.erase(blocks_.back().first);
    blocks_.pop_back();
  }
  blocks_.emplace_front(wanted, std::make_shared<block>());
  by_place_.emplace(std::move(wanted), blocks_.begin());
  return blocks_.front().second;
}

size_t match_memo::blocks() const {
  const std::lock_guard guard{mutex_};
  return blocks_.size();
}

} // namespace eventweft::codec
