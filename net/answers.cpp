// SPDX-License-Identifier: Apache-2.0
#include "net/answers.hpp"

#include "codec/dead_letter_json.hpp"
#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "codec/problem.hpp"

#include <utility>

namespace eventweft::net {

response text_answer(int status, std::string_view content_type,
                     std::string body) {
  response res;
  res.result(static_cast<unsigned>(status));
  res.set(http::field::server, beast_view(server_name));
  if (!content_type.empty())
    res.set(http::field::content_type, beast_view(content_type));
  res.body() = std::move(body);
  return res;
}

response json_answer(int status, std::string body) {
  return text_answer(status, "application/json", std::move(body));
}

response problem_answer(int status, const error& e) {
  auto res = text_answer(status, codec::problem_media_type,
                         codec::problem_json(status, e));
  if (status == 503 || status == 429)
    res.set(http::field::retry_after, beast_view(codec::retry_after(e.code)));
  // Every 401 says what would do (RFC 9110); who knows better replaces it.
  if (status == 401)
    res.set(http::field::www_authenticate, R"(Bearer realm="eventweft")");
  return res;
}

response problem_answer(const error& e) {
  return problem_answer(codec::http_status(e.code), e);
}

response webhook_response(webhook_answer answer) {
  const bool bodiless = answer.status == 204 || answer.status == 304;
  auto res = text_answer(answer.status,
                         bodiless ? std::string_view{} : answer.content_type,
                         bodiless ? std::string{} : std::move(answer.body));
  for (const auto& [name, value] : answer.headers)
    res.insert(beast_view(name), beast_view(value));
  if (answer.status == 503 && res.count(http::field::retry_after) == 0)
    res.set(http::field::retry_after,
            beast_view(codec::retry_after(ec::overloaded)));
  return res;
}

std::string dead_letters_json(const std::vector<dead_letter>& letters,
                              bool more, bool bodies) {
  return codec::list_json("dead_letters", letters,
                          bodies ? codec::append_dead_letter
                                 : codec::append_dead_letter_summary,
                          more ? to_string(letters.back().id) : std::string{});
}

std::string readiness_json(const readiness& state) {
  std::string out = "{";
  codec::append_member(out, "status", state.state);
  out += ",\"parts\":[";
  for (const auto& part : state.parts) {
    if (out.back() != '[')
      out += ',';
    out += '{';
    codec::append_member(out, "name", part.name);
    codec::append_member(out, "state", part.state);
    codec::append_member(out, "detail", part.detail);
    out += '}';
  }
  out += "]}";
  return out;
}

} // namespace eventweft::net
