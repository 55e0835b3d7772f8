// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// How long one event took in one stage: a row of `event_performance`.
struct stage_sample {
  timestamp at{};
  /// "queue", "commit", "ingest".
  std::string_view stage;
  std::string platform;
  std::string event_type;
  uuid event_id;
  std::chrono::microseconds took{};
  /// How many were waiting in that stage.
  std::optional<int64_t> waiting;
};

/// The figures that live in the store: samples on their way there, and the last
/// report on its way back. Whoever measures adds samples, upkeep takes them and
/// leaves a report, the API shows it. Thread-safe; no call blocks.
class store_figures {
 public:
  /// One of so many events is sampled; 0: none.
  explicit store_figures(uint32_t sample_every) : every_(sample_every) {}

  /// Whether this event is one of them: the same answer in every stage.
  bool sampled(const uuid& id) const noexcept;

  /// Dropped if nobody takes what is there: it is but a sample.
  void add(stage_sample sample);
  std::vector<stage_sample> take();

  /// JSON; "null" until there is one.
  void set_report(std::string json);
  std::string report() const;

 private:
  const uint32_t every_;
  mutable std::mutex mutex_;
  std::vector<stage_sample> samples_;
  std::string report_ = "null";
};

} // namespace eventweft
