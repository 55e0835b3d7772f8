// SPDX-License-Identifier: Apache-2.0
#include "processing/http_handler.hpp"

#include "delivery/verdict.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace eventweft::processing {

namespace {

/// Of a response that becomes a reply.
constexpr size_t longest_reply = 64u << 10;

outcome outcome_of(const outgoing::result& answer, bool answers,
                   timestamp now) {
  const auto v = delivery::judge(answer, now);
  if (v.outcome == delivery::outcome::delivered) {
    if (!answers || answer->body.empty())
      return outcome::done();
    // Half an answer is none.
    if (answer->body_cut) {
      auto out = outcome::done();
      out.remark = "its response is longer than " +
                   std::to_string(longest_reply) + " bytes, which is no reply";
      return out;
    }
    reply r;
    r.body = answer->body;
    if (const auto type = answer->header("content-type"); !type.empty())
      r.content_type = type;
    return outcome::done(std::move(r));
  }
  if (v.outcome == delivery::outcome::gone)
    return outcome::give_up(v.reason);
  auto out = outcome::failed(v.reason);
  out.timed_out =
      !answer && answer.error().kind == outgoing::failure_kind::timed_out;
  if (v.retry_after)
    out.retry_after =
        std::chrono::ceil<std::chrono::milliseconds>(*v.retry_after);
  return out;
}

} // namespace

async_handler make_http_handler(delivery::endpoint to, bool answers,
                                std::shared_ptr<outgoing::poster> poster,
                                std::shared_ptr<const clock> time) {
  auto shared = std::make_shared<const delivery::endpoint>(std::move(to));
  return [shared, answers, poster = std::move(poster), time = std::move(time)](
             const event_ptr& ev, const attempt_context& c, completion done) {
    auto endpoint = *shared;
    endpoint.subscription_id = "processor:" + c.processor;
    endpoint.timeout = c.timeout;
    auto request = delivery::make_request(endpoint, ev, time->now());
    if (answers) {
      request.keep_body_bytes = longest_reply;
      request.max_body_bytes = longest_reply;
    }
    request.headers.emplace_back("Eventweft-Processor", c.processor);
    request.headers.emplace_back("Eventweft-Attempt",
                                 std::to_string(c.attempt));
    poster->post(std::move(request), [answers, time, done = std::move(done)](
                                         const outgoing::result& answer) {
      done(outcome_of(answer, answers, time->now()));
    });
  };
}

} // namespace eventweft::processing
