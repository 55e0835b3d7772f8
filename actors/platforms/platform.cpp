// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/platform.hpp"

#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "codec/problem.hpp"

namespace eventweft::platforms {

namespace {

webhook_answer answer_of(const event_outcome& outcome) {
  webhook_answer out;
  if (outcome) {
    out.status = outcome->spooled ? 202 : 200;
    out.body = codec::outcome_json(*outcome);
    return out;
  }
  out.status = codec::http_status(outcome.error().code);
  out.content_type = codec::problem_media_type;
  out.body = codec::problem_json(out.status, outcome.error());
  if (out.status == 503 || out.status == 429)
    out.headers.emplace_back(
        "Retry-After", std::string{codec::retry_after(outcome.error().code)});
  return out;
}

// A result with what a handler replied to its event.
std::string with_reply(std::string result, const webhook_answer& reply) {
  result.pop_back();
  codec::append_name(result, "reply");
  result.push_back('{');
  codec::append_member(result, "status", static_cast<uint64_t>(reply.status));
  codec::append_member(result, "content_type", reply.content_type);
  codec::append_member(result, "body", reply.body);
  return result + "}}";
}

// The whole array fails only if every item does, and then as the first did.
webhook_answer answer_of_batch(const acceptance& a,
                               std::span<const event_outcome> outcomes) {
  webhook_answer out;
  bool any = false;
  bool spooled = false;
  std::optional<error> first;
  out.body = "[";
  const auto add = [&](const event_outcome& outcome,
                       const std::optional<webhook_answer>& reply) {
    auto one = answer_of(outcome);
    if (outcome && reply)
      one.body = with_reply(std::move(one.body), *reply);
    any = any || outcome;
    spooled = spooled || (outcome && outcome->spooled);
    if (out.body.size() > 1)
      out.body.push_back(',');
    out.body.append(one.body);
    if (!outcome && !first) {
      first = outcome.error();
      out.status = one.status;
      out.headers = one.headers;
    }
  };
  size_t next = 0;
  const auto add_next = [&] {
    add(outcomes[next],
        next < a.replies.size() ? a.replies[next] : std::nullopt);
    ++next;
  };
  for (const auto& refused : a.refused) {
    if (refused)
      add(fail(*refused), std::nullopt);
    else if (next < outcomes.size())
      add_next();
  }
  while (next < outcomes.size())
    add_next();
  out.body.push_back(']');
  if (any || !first) {
    out.headers.clear();
    out.status = spooled ? 202 : 200;
  }
  return out;
}

} // namespace

webhook_answer platform::answer(const acceptance& a,
                                std::span<const event_outcome> outcomes) const {
  if (a.answer)
    return *a.answer;
  if (a.batch)
    return answer_of_batch(a, outcomes);
  // Without a batch there is one event; of several, a failure counts most,
  // so that the sender tries again.
  for (const auto& outcome : outcomes)
    if (!outcome)
      return answer_of(outcome);
  if (a.when_stored)
    return *a.when_stored;
  if (outcomes.empty())
    return webhook_answer{
        .status = 204, .content_type = {}, .headers = {}, .body = {}};
  return answer_of(outcomes.front());
}

} // namespace eventweft::platforms
