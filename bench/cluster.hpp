// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/engine.hpp"
#include "bench/report.hpp"
#include "bench/servers.hpp"

#include <cstddef>

namespace eventweft::bench {

inline constexpr const char* cluster_part = "cluster";
inline constexpr size_t cluster_nodes = 3;

/// What nodes have in memory before and after one of them has left and come
/// back again and again, under load, while readers and subscriptions came and
/// went. `e` is an engine that several nodes can share.
void measure_cluster_memory(const setting& s, engine& e, report& out);

} // namespace eventweft::bench
