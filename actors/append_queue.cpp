// SPDX-License-Identifier: Apache-2.0
#include "actors/append_queue.hpp"

#include <iterator>
#include <utility>

namespace eventweft {

namespace {

/// `platform`, a NUL, `event_id`.
std::string key_text(std::string_view platform, std::string_view event_id) {
  std::string key;
  key.reserve(platform.size() + 1 + event_id.size());
  key.append(platform).push_back('\0');
  key.append(event_id);
  return key;
}

} // namespace

bool append_queue::has_room_for(const event_ptr& ev) const noexcept {
  return items_.empty() || (items_.size() < max_events_ &&
                            bytes_ + ev->footprint() <= max_bytes_);
}

void append_queue::push(pending_append x) {
  bytes_ += x.event->footprint();
  items_.push_back(std::move(x));
}

void append_queue::put_back(std::vector<pending_append>&& batch) {
  for (const auto& x : batch)
    bytes_ += x.event->footprint();
  items_.insert(items_.begin(), std::make_move_iterator(batch.begin()),
                std::make_move_iterator(batch.end()));
  batch.clear();
}

std::vector<pending_append> append_queue::take(size_t max_events,
                                               uint64_t max_bytes) {
  std::vector<pending_append> out;
  uint64_t bytes = 0;
  while (!items_.empty() && out.size() < max_events) {
    auto size = items_.front().event->footprint();
    if (!out.empty() && bytes + size > max_bytes)
      break;
    bytes += size;
    out.push_back(std::move(items_.front()));
    items_.pop_front();
  }
  bytes_ -= bytes;
  return out;
}

std::string spool_index::key_of(const event& ev) {
  return key_text(ev.platform, ev.event_id);
}

std::optional<uuid> spool_index::find(const event& ev) const {
  if (ids_.empty())
    return std::nullopt;
  auto i = ids_.find(key_of(ev));
  return i == ids_.end() ? std::nullopt : std::optional{i->second};
}

void spool_index::add(const event& ev) {
  ids_.emplace(key_of(ev), ev.id);
}

void spool_index::add(const spooled_event& held) {
  ids_.emplace(key_text(held.platform, held.event_id), held.id);
}

void spool_index::remove(const event& ev) {
  auto i = ids_.find(key_of(ev));
  if (i != ids_.end() && i->second == ev.id)
    ids_.erase(i);
}

} // namespace eventweft
