// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/query.hpp"

namespace eventweft::net {

/// What a reader asks for in the query of its GET.
struct stream_query {
  eventweft::filter filter;
  start_point start;
  wire_format format = wire_format::native;
  /// The cursor also in a form that a page gets to see.
  bool progress = false;
  /// WebSocket only: pull mode from the start.
  std::optional<uint64_t> credit;
};

/// `?filter=<json>&since=…&format=native|cloudevents&progress=true`, with
/// `credit=N` for WebSocket and with the filter's lists as parameters of their
/// own for SSE.
expected<stream_query> read_websocket_query(const query_params& params);
expected<stream_query> read_sse_query(const query_params& params);

} // namespace eventweft::net
