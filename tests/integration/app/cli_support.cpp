// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/app/cli_support.hpp"

#include "codec/event_json.hpp"

#include <algorithm>
#include <cctype>

namespace eventweft::cli {

seen_request read_request(const std::string& text) {
  seen_request r;
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos)
    return r;
  r.body = text.substr(end + 4);
  std::istringstream head{text.substr(0, end)};
  std::string line;
  std::getline(head, line);
  std::istringstream first{line};
  first >> r.method >> r.target;
  while (std::getline(head, line)) {
    if (line.ends_with('\r'))
      line.pop_back();
    const auto colon = line.find(':');
    auto name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return static_cast<char>(std::tolower(c));
    });
    r.headers[name] = line.substr(colon + 2);
  }
  return r;
}

std::string answer(int status, std::string_view body, std::string_view type) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n";
  text.append("Content-Type: ").append(type).append("\r\n");
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text.append(body);
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
         "Connection: close\r\n\r\nretry: 2000\n\n";
}

std::string event_json(int64_t seq, std::string_view type,
                       std::string_view payload) {
  event ev;
  ev.id = *uuid::parse("01970000-0000-7000-8000-000000000001");
  ev.seq = seq;
  ev.event_id = "delivery-" + std::to_string(seq);
  ev.platform = "github";
  ev.event_type = type;
  ev.source_name = "octo/repo";
  ev.actor_name = "codertocat";
  ev.created_at = *parse_rfc3339("2026-01-31T12:00:00.5Z");
  ev.payload = shared_text{std::string{payload}};
  std::string out;
  codec::append_native(out, ev);
  return out;
}

std::string stream_event(int64_t seq, std::string_view type) {
  return "id: " + std::to_string(seq) + "\ndata: " + event_json(seq, type) +
         "\n\n";
}

void request_log::add(seen_request r) {
  const std::lock_guard lock{mutex_};
  requests_.push_back(std::move(r));
}

std::vector<seen_request> request_log::all() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

connection to(const scripted_server& server) {
  return {"http://127.0.0.1:" + std::to_string(server.port()), {}};
}

} // namespace eventweft::cli
