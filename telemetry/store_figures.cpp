// SPDX-License-Identifier: Apache-2.0
#include "telemetry/store_figures.hpp"

#include <cstring>
#include <utility>

namespace eventweft {

namespace {

/// Between two turns of upkeep.
constexpr size_t most_samples = 3'000;

} // namespace

bool store_figures::sampled(const uuid& id) const noexcept {
  if (every_ == 0)
    return false;
  // The end of a UUIDv7 is random.
  uint32_t random = 0;
  std::memcpy(&random, id.bytes.data() + 12, sizeof random);
  return random % every_ == 0;
}

void store_figures::add(stage_sample sample) {
  const std::lock_guard guard{mutex_};
  if (samples_.size() < most_samples)
    samples_.push_back(std::move(sample));
}

std::vector<stage_sample> store_figures::take() {
  const std::lock_guard guard{mutex_};
  return std::exchange(samples_, {});
}

void store_figures::set_report(std::string json) {
  const std::lock_guard guard{mutex_};
  report_ = std::move(json);
}

std::string store_figures::report() const {
  const std::lock_guard guard{mutex_};
  return report_;
}

} // namespace eventweft
