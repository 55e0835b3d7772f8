// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/letters.hpp"

#include "persistence/batch.hpp"
#include "persistence/memory/match.hpp"

#include <utility>

namespace eventweft::memory {

namespace {

size_t footprint_of(const dead_letter& x) {
  auto bytes = sizeof(dead_letter) + x.origin.size() + x.reason.size() +
               x.platform.size() + x.event_type.size() + x.body.size();
  for (const auto& one : x.history)
    bytes += sizeof(failed_attempt) + one.error.size();
  return bytes;
}

} // namespace

shared_letters::shared_letters(size_t max_letters, size_t max_bytes,
                               std::function<void(const dead_letter&)> gone)
    : max_letters_(max_letters),
      max_bytes_(max_bytes),
      gone_(std::move(gone)) {}

void shared_letters::add(const dead_letter& letter) {
  std::vector<dead_letter> without_room;
  {
    std::lock_guard guard{mutex_};
    auto kept = letter;
    kept.reason = storable_text(kept.reason);
    const auto [place, is_new] = letters_.emplace(kept.id, std::move(kept));
    if (!is_new)
      return;
    bytes_ += footprint_of(place->second);
    without_room = make_room();
  }
  if (gone_)
    for (const auto& x : without_room)
      gone_(x);
}

std::vector<dead_letter> shared_letters::make_room() {
  std::vector<dead_letter> out;
  while (letters_.size() > 1 &&
         (letters_.size() > max_letters_ || bytes_ > max_bytes_)) {
    auto oldest = letters_.extract(letters_.begin());
    bytes_ -= footprint_of(oldest.mapped());
    out.push_back(std::move(oldest.mapped()));
  }
  return out;
}

std::vector<dead_letter>
shared_letters::find(const dead_letter_query& q) const {
  std::lock_guard guard{mutex_};
  std::vector<dead_letter> out;
  for (auto i = letters_.rbegin(); i != letters_.rend() && out.size() < q.limit;
       ++i) {
    if (!matches(q, i->second))
      continue;
    auto& letter = out.emplace_back(i->second);
    if (!q.bodies)
      letter.body_bytes = std::exchange(letter.body, {}).size();
  }
  return out;
}

bool shared_letters::drop(const uuid& id) {
  std::lock_guard guard{mutex_};
  const auto found = letters_.find(id);
  if (found == letters_.end())
    return false;
  bytes_ -= footprint_of(found->second);
  letters_.erase(found);
  return true;
}

} // namespace eventweft::memory
