// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/engine.hpp"
#include "bench/poster.hpp"
#include "bench/webhooks.hpp"

#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

/// How often what is compared takes turns: a machine that others share drifts
/// by a fifth within seconds, which has to meet both.
inline constexpr uint32_t turns = 5;

struct ingest_result {
  post_result posts;
  /// CPU seconds of eventweft, of the engine's own processes, and of us.
  double server_cpu = 0;
  double engine_cpu = 0;
  double own_cpu = 0;
};

/// Posts `count` webhooks over 64 connections, spread over all of `servers`,
/// which share a store of `e`; `salt` differs between calls for one store.
ingest_result ingest_at(const std::vector<const hub*>& servers, const engine& e,
                        const std::vector<webhook_example>& examples,
                        uint64_t count, uint32_t salt);

/// The same to a hub of its own on the store at `url`, for which `environment`
/// is.
ingest_result
ingest(const setting& s, engine& e, const std::string& url,
       const std::vector<webhook_example>& examples, uint64_t count,
       uint32_t salt,
       std::vector<std::pair<std::string, std::string>> environment = {});

} // namespace eventweft::bench
