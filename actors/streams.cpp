// SPDX-License-Identifier: Apache-2.0
#include "actors/streams.hpp"

#include <utility>

namespace eventweft {

stream_catalogue::stream_catalogue(std::vector<stream_definition> streams) {
  for (auto& s : streams)
    add(std::move(s));
}

std::optional<stream_definition>
stream_catalogue::find(std::string_view name) const {
  std::lock_guard guard{mutex_};
  auto i = streams_.find(name);
  return i == streams_.end() ? std::nullopt : std::optional{i->second};
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
