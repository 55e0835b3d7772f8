// SPDX-License-Identifier: Apache-2.0
#include "codec/thread_names.hpp"

#include "codec/payload.hpp"

#include <algorithm>
#include <mutex>

namespace eventweft::codec {

namespace {

/// More than happen while the store answers.
constexpr size_t max_recent_merges = 4'096;

} // namespace

std::optional<std::pair<uuid, uuid>> merge_told_by(const event& ev) {
  if (ev.platform != "eventweft" || ev.event_type != "correlation:merged" ||
      !ev.correlation_id)
    return std::nullopt;
  payload_reader reader;
  const auto root = reader.parse(ev.payload.view());
  if (!root)
    return std::nullopt;
  const auto from = uuid::parse(string_at(*root, "/from"));
  if (!from || *from == *ev.correlation_id)
    return std::nullopt;
  // The event is in the thread that stayed, and goes with that one if it is
  // merged in turn: the payload's `into` may be a former id by now.
  return std::pair{*from, *ev.correlation_id};
}

thread_names& thread_names::shared() {
  static thread_names names;
  return names;
}

std::shared_ptr<const void> thread_names::watch(std::vector<uuid> ids) {
  if (ids.empty())
    return nullptr;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  {
    std::lock_guard guard{mutex_};
    for (const auto& id : ids)
      if (watched_[id].holders++ == 0)
        if (const auto next = recent_.find(id); next != recent_.end())
          add(id, next->second);
  }
  struct holder {
    holder(thread_names& n, std::vector<uuid> those)
        : names(n), ids(std::move(those)) {}
    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;
    ~holder() { names.forget(ids); }
    thread_names& names;
    std::vector<uuid> ids;
  };
  return std::make_shared<const holder>(*this, std::move(ids));
}

void thread_names::forget(const std::vector<uuid>& ids) {
  std::lock_guard guard{mutex_};
  for (const auto& id : ids) {
    const auto at = watched_.find(id);
    if (at == watched_.end() || --at->second.holders > 0)
      continue;
    for (const auto& name : at->second.names) {
      const auto found = by_name_.find(name);
      std::erase(found->second, id);
      if (found->second.empty())
        by_name_.erase(found);
    }
    names_ -= at->second.names.size();
    watched_.erase(at);
  }
}

std::vector<uuid> thread_names::watched() const {
  std::shared_lock guard{mutex_};
  std::vector<uuid> out;
  out.reserve(watched_.size());
  for (const auto& [id, what] : watched_)
    out.push_back(id);
  return out;
}

bool thread_names::add(const uuid& id, uuid name) {
  const auto at = watched_.find(id);
  if (at == watched_.end())
    return false;
  auto& names = at->second.names;
  bool is_new = false;
  while (name != id &&
         std::find(names.begin(), names.end(), name) == names.end()) {
    is_new = true;
    names.push_back(name);
    by_name_[name].push_back(id);
    ++names_;
    const auto next = recent_.find(name);
    if (next == recent_.end())
      break;
    name = next->second;
  }
  return is_new;
}

void thread_names::merged(const uuid& from, const uuid& into) {
  std::lock_guard guard{mutex_};
  if (recent_.insert_or_assign(from, into).second) {
    recent_order_.push_back(from);
    if (recent_order_.size() > max_recent_merges) {
      recent_.erase(recent_order_.front());
      recent_order_.pop_front();
    }
  }
  add(from, into);
  if (const auto found = by_name_.find(from); found != by_name_.end())
    for (const auto& id : std::vector<uuid>{found->second})
      add(id, into);
}

void thread_names::found(std::span<const uuid> ids,
                         std::span<const uuid> present) {
  std::lock_guard guard{mutex_};
  for (size_t i = 0; i < std::min(ids.size(), present.size()); ++i)
    if (add(ids[i], present[i]))
      ++news_;
}

std::vector<uuid> thread_names::leading_to(const uuid& id) const {
  if (names_.load(std::memory_order_relaxed) == 0)
    return {};
  std::shared_lock guard{mutex_};
  const auto at = by_name_.find(id);
  return at == by_name_.end() ? std::vector<uuid>{} : at->second;
}

} // namespace eventweft::codec
