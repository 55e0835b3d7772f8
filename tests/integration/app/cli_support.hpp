// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"
#include "tests/integration/outgoing/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::cli {

using outgoing::testing_support::peer;
using outgoing::testing_support::scripted_server;

/// A request as the server saw it.
struct seen_request {
  std::string method;
  std::string target;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

seen_request read_request(const std::string& text);

/// An answer with a length, which keeps the connection.
std::string answer(int status, std::string_view body,
                   std::string_view type = "application/json");

/// What opens an event stream that ends with the connection.
std::string stream_head();

/// One event of a stream, its JSON in the native form.
std::string stream_event(int64_t seq, std::string_view type = "push");
std::string event_json(int64_t seq, std::string_view type = "push",
                       std::string_view payload = R"({"n":1})");

/// Keeps what servers' threads saw.
class request_log {
 public:
  void add(seen_request r);
  std::vector<seen_request> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<seen_request> requests_;
};

/// A console whose two streams are texts.
struct captured_console {
  std::ostringstream out;
  std::ostringstream err;
  console io{out, err, false};
};

connection to(const scripted_server& server);

/// Answers by target; everything else is 404.
class api_server {
 public:
  explicit api_server(std::map<std::string, std::string> answers)
      : answers_(std::move(answers)), server_([this](peer& p) {
          for (std::string text; !(text = p.read_request()).empty();) {
            auto r = read_request(text);
            const auto found = answers_.find(r.method + ' ' + r.target);
            log_.add(std::move(r));
            p.send(found == answers_.end()
                       ? answer(404, R"({"detail":"there is no such thing"})")
                       : found->second);
          }
        }) {}

  connection address() const { return to(server_); }

  std::vector<std::string> targets() const {
    std::vector<std::string> result;
    for (const auto& r : log_.all())
      result.push_back(r.method + ' ' + r.target);
    return result;
  }

  std::vector<std::string> bodies() const {
    std::vector<std::string> result;
    for (const auto& r : log_.all())
      result.push_back(r.body);
    return result;
  }

 private:
  std::map<std::string, std::string> answers_;
  request_log log_;
  scripted_server server_;
};

} // namespace eventweft::cli
