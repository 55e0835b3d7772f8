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
  std::lock_guard guard{mutex_};
  auto i = streams_.find(name);
  if (i == streams_.end())
    return false;
  streams_.erase(i);
  return true;
}

} // namespace eventweft
