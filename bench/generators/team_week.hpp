// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// A scripted week of a team's life on GitHub, Linear, Slack and its
/// deployments, with the truth about which events are one piece of work.
namespace eventweft::bench {

struct week_event {
  std::string platform;
  /// As the platform's actor would make it: "pull_request:opened".
  std::string event_type;
  /// Unique with `platform`; a retry has that of the first delivery.
  std::string event_id;
  std::string payload;
  /// When it happened; the vector is in order of arrival.
  timestamp at{};
  /// Which piece of work it is part of; 0: none.
  uint32_t work = 0;
};

struct week_options {
  /// Pieces of work, small and large; about eight events each.
  uint32_t works = 1'000;
  uint64_t seed = 1;
  timestamp start{};
  /// Of 1,000 events: delivered twice; an hour to a day late.
  uint32_t retried = 20;
  uint32_t late = 30;
  /// Bytes by which each GitHub payload is filled up with what real ones also
  /// have, to be about as large.
  size_t filling = 0;
};

/// The same events for the same options, on any machine.
std::vector<week_event> team_week(const week_options& options);

} // namespace eventweft::bench
