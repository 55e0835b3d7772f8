// SPDX-License-Identifier: Apache-2.0
#include "actors/streams.hpp"

#include <utility>

namespace eventweft {

error not_read_yet() {
  return {ec::store_unavailable,
          "streams and subscriptions have not been read from the store yet"};
}

stream_catalogue::stream_catalogue(std::vector<stream_definition> streams) {
  for (auto& s : streams)
    add(std::move(s));
}

void stream_catalogue::await_store() {
  std::lock_guard guard{mutex_};
  complete_ = false;
}

expected<void> stream_catalogue::complete() const {
  std::lock_guard guard{mutex_};
  if (!complete_)
    return fail(not_read_yet());
  return {};
}

std::optional<stream_definition>
stream_catalogue::find(std::string_view name) const {
  std::lock_guard guard{mutex_};
  auto i = streams_.find(name);
  return i == streams_.end() ? std::nullopt : std::optional{i->second};
}

expected<stream_definition> stream_catalogue::get(std::string_view name) const {
  std::lock_guard guard{mutex_};
  if (auto i = streams_.find(name); i != streams_.end())
    return i->second;
  if (!complete_)
    return fail(not_read_yet());
  return fail(ec::not_found, "there is no stream " + std::string{name});
}

std::vector<stream_definition> stream_catalogue::all() const {
  std::lock_guard guard{mutex_};
  std::vector<stream_definition> out;
  out.reserve(streams_.size());
  for (const auto& [name, s] : streams_)
    out.push_back(s);
  return out;
}

bool stream_catalogue::add(stream_definition stream) {
  std::lock_guard guard{mutex_};
  auto name = stream.name;
  return streams_.try_emplace(std::move(name), std::move(stream)).second;
}

bool stream_catalogue::remove(std::string_view name) {
  {
    std::lock_guard guard{mutex_};
    auto i = streams_.find(name);
    if (i == streams_.end())
      return false;
    streams_.erase(i);
  }
  tell({{std::string{name}, std::nullopt}});
  return true;
}

bool stream_catalogue::change(stream_definition stream) {
  std::vector<stream_event> events;
  {
    std::lock_guard guard{mutex_};
    auto i = streams_.find(stream.name);
    if (i == streams_.end())
      return false;
    if (i->second.filter != stream.filter)
      events.push_back({stream.name, stream});
    i->second = std::move(stream);
  }
  tell(events);
  return true;
}

void stream_catalogue::replace(std::vector<stream_definition> streams) {
  std::vector<stream_event> events;
  {
    std::lock_guard guard{mutex_};
    complete_ = true;
    auto before = std::exchange(streams_, {});
    for (auto& s : streams) {
      auto old = before.extract(s.name);
      if (old && old.mapped().filter != s.filter)
        events.push_back({s.name, s});
      auto name = s.name;
      streams_.insert_or_assign(std::move(name), std::move(s));
    }
    for (auto& [name, s] : before)
      events.push_back({name, std::nullopt});
  }
  tell(events);
}

void stream_catalogue::watch(std::function<void(const stream_event&)> changed) {
  std::lock_guard guard{mutex_};
  watchers_.push_back(std::move(changed));
}

void stream_catalogue::tell(const std::vector<stream_event>& events) {
  std::vector<std::function<void(const stream_event&)>> watchers;
  {
    std::lock_guard guard{mutex_};
    watchers = watchers_;
  }
  for (const auto& e : events)
    for (const auto& watcher : watchers)
      watcher(e);
}

} // namespace eventweft
