// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics_state.hpp"

#include <boost/json.hpp>
#include <prometheus/text_serializer.h>

namespace eventweft {

metrics::stream_figures metrics::of_stream(std::string_view stream) const {
  std::lock_guard guard{state_->streams_mutex};
  auto i = state_->streams.find(stream);
  if (i == state_->streams.end())
    return {};
  const auto& t = i->second;
  return {t.active, t.webhooks,   t.sent,        t.matched,
          t.errors, t.lag_events, t.lag_seconds, t.last_seq};
}

std::string metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(state_->registry.Collect());
}

std::string metrics::json(std::span<const std::string> streams) const {
  const auto& s = *state_;
  const auto count = [](const prometheus::Gauge& g) {
    return static_cast<int64_t>(g.Value());
  };
  const auto told = [](const stream_totals& t) {
    return boost::json::object{
        {"active_subscriptions", t.active.load()},
        {"total_subscriptions", t.opened.load()},
        {"events_sent", t.sent.load()},
        {"bytes_sent", t.bytes.load()},
        {"readers_lagged", t.lagged.load()},
        {"catch_up_events", t.caught_up.load()},
        {"events_matched", t.matched.load()},
        {"delivery_errors", t.errors.load()},
        {"lag_events", t.lag_events.load()},
        {"lag_seconds", t.lag_seconds.load()},
        {"last_seq", t.last_seq.load()},
    };
  };
  boost::json::object streaming;
  for (const auto& name : streams)
    streaming[name] = told(stream_totals{});
  {
    std::lock_guard guard{s.streams_mutex};
    for (const auto& [name, t] : s.streams)
      streaming[name] = told(t);
  }
  const boost::json::value out = {
      {"processing",
       {{"events_received", s.n_received.load()},
        {"events_processed", s.n_stored.load()},
        {"events_failed", s.n_failed.load()},
        {"events_duplicates", s.n_duplicates.load()},
        {"events_spooled", s.n_spooled.load()},
        {"head_seq", count(s.head)}}},
      {"queue",
       {{"in_flight", count(s.in_flight)},
        {"writer", count(s.writer_queue)},
        {"reader", count(s.reader_queue)},
        {"spool_events", count(s.spool_events)},
        {"spool_bytes", count(s.spool_bytes)},
        {"store_up", count(s.store_up) != 0}}},
      {"streaming", std::move(streaming)},
      {"processors",
       {{"completed", s.n_completed.load()},
        {"retried", s.n_retried.load()},
        {"failed", s.n_given_up.load()},
        {"timed_out", s.n_timed_out.load()},
        {"lanes",
         {{"critical", s.lane_now[3].load()},
          {"high", s.lane_now[2].load()},
          {"normal", s.lane_now[1].load()},
          {"low", s.lane_now[0].load()}}},
        {"shares", {{"critical", 8}, {"high", 4}, {"normal", 2}, {"low", 1}}}}},
  };
  return boost::json::serialize(out);
}

} // namespace eventweft
