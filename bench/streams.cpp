// SPDX-License-Identifier: Apache-2.0
#include "bench/streams.hpp"

#include "bench/poster.hpp"
#include "bench/webhooks.hpp"

namespace eventweft::bench {

stream_target target_of(const hub& server, uint32_t salt) {
  return {"eventweft",
          server.address(),
          server.pid(),
          "/ws/events/all_events",
          "/events/stream/all_events",
          [salt](uint64_t n) {
            std::string request;
            append_request(request, tagged_webhook(n), salt, n);
            return request;
          }};
}

stream_target target_of(const nchan_server& server, std::string event) {
  event.resize(event.size() - tag_end.size() - tag_digits);
  return {"nchan",
          server.address(),
          server.pid(),
          "/sub",
          "/sub",
          [event = std::move(event)](uint64_t n) {
            const auto body = event + tag_text(n) + std::string{tag_end};
            return "POST /pub HTTP/1.1\r\nHost: bench\r\n"
                   "Content-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body;
          }};
}

std::string sample_event(const stream_target& target) {
  reader_swarm reader{
      {target.address, target.websocket_path, stream_kind::websocket, 1, true},
      nullptr};
  poster{target.address}.post(target.request(0));
  if (!reader.wait_delivered(1, 10))
    throw bench_error("no event came through");
  reader.stop();
  if (reader.faults() != 0)
    throw bench_error("not what was sent: " + reader.sample());
  return reader.sample();
}

std::shared_ptr<send_marks> make_marks(uint64_t count) {
  return std::make_shared<send_marks>(count);
}

} // namespace eventweft::bench
