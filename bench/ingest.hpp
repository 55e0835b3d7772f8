// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/engine.hpp"
#include "bench/poster.hpp"
#include "bench/webhooks.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

/// How often what is compared takes turns: a machine that others share drifts
/// by a fifth within seconds, which has to meet both.
inline constexpr uint32_t turns = 5;

/// Senders at a time, each of which waits for its answer: too few to keep two
/// cores busy, and as many as it takes.
inline constexpr uint32_t few_senders = 64;
inline constexpr uint32_t many_senders = 256;
inline constexpr std::array sender_counts{few_senders, many_senders};

/// `count` webhooks; `salt` differs between calls for one store.
struct ingest_load {
  const std::vector<webhook_example>& examples;
  uint64_t count = 0;
  uint32_t salt = 0;
  uint32_t senders = few_senders;
  /// So many more go before them and are not measured.
  uint64_t warm_up = 0;
};

struct ingest_result {
  post_result posts;
  /// CPU seconds of eventweft, of the engine's own processes, and of us.
  double server_cpu = 0;
  double engine_cpu = 0;
  double own_cpu = 0;

  /// Of so many seconds for all, microseconds for each.
  double us_per_event(double seconds) const {
    return seconds * 1e6 / static_cast<double>(posts.accepted);
  }
};

void add_to(ingest_result& total, const ingest_result& one);

/// Posts webhooks over a connection for each sender, spread over all of
/// `servers`, which share a store of `e`.
ingest_result ingest_at(const std::vector<const hub*>& servers, const engine& e,
                        const ingest_load& load);

/// The same to a hub of its own on the store at `url`, for which `environment`
/// is.
ingest_result
ingest(const setting& s, engine& e, const std::string& url,
       const ingest_load& load,
       std::vector<std::pair<std::string, std::string>> environment = {});

} // namespace eventweft::bench
