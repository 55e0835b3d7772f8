// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// `all_events`, `github_events`, `pr_events`, …: there from the start.
std::vector<stream_definition> default_streams();

/// What happened to a stream; without `now`, it is gone.
struct stream_event {
  std::string name;
  std::optional<stream_definition> now;
};

/// What is said of streams and subscriptions until the store's were read.
error not_read_yet();

/// The streams there are. Thread-safe.
class stream_catalogue {
 public:
  explicit stream_catalogue(
      std::vector<stream_definition> streams = default_streams());

  /// The store may have others as well, until `replace`.
  void await_store();
  /// Whether these are all; `not_read_yet` otherwise.
  expected<void> complete() const;

  std::optional<stream_definition> find(std::string_view name) const;
  /// `not_found` if there is none of that name, `not_read_yet` if there may be.
  expected<stream_definition> get(std::string_view name) const;
  /// By name.
  std::vector<stream_definition> all() const;
  /// False if there is one of that name.
  bool add(stream_definition stream);
  bool remove(std::string_view name);
  /// False if there is none of that name.
  bool change(stream_definition stream);
  /// From now on there are these and no others.
  void replace(std::vector<stream_definition> streams);

  /// `changed` is called, on the thread that made the change and before it
  /// returns, for each stream that is gone or has another filter. It must
  /// return at once; it may ask the catalogue, but not change it.
  void watch(std::function<void(const stream_event&)> changed);

 private:
  void tell(const std::vector<stream_event>& events);

  mutable std::mutex mutex_;
  bool complete_ = true;
  std::vector<std::function<void(const stream_event&)>> watchers_;
  std::map<std::string, stream_definition, std::less<>> streams_;
};

} // namespace eventweft
