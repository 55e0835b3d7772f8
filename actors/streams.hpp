// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/filter.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// A named filter over the log.
struct stream_definition {
  std::string name;
  std::string description;
  eventweft::filter filter;

  bool operator==(const stream_definition&) const = default;
};

/// `all_events`, `github_events`, `pr_events`, …: there from the start.
std::vector<stream_definition> default_streams();

/// The streams there are. Thread-safe.
class stream_catalogue {
 public:
  explicit stream_catalogue(
      std::vector<stream_definition> streams = default_streams());

  std::optional<stream_definition> find(std::string_view name) const;
  /// By name.
  std::vector<stream_definition> all() const;
  /// False if there is one of that name.
  bool add(stream_definition stream);
  bool remove(std::string_view name);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, stream_definition, std::less<>> streams_;
};

} // namespace eventweft
