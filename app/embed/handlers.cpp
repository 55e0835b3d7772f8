// SPDX-License-Identifier: Apache-2.0
#include "app/embed/handlers.hpp"

#include "app/embed/access.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::embed {

namespace {

using processing::outcome;

outcome outcome_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const GiveUp& e) {
    return outcome::give_up(e.what());
  } catch (const RetryAfter& e) {
    auto out = outcome::failed(e.what());
    out.retry_after = e.pause();
    return out;
  } catch (const std::exception& e) {
    return outcome::failed(e.what());
  } catch (...) {
    return outcome::failed("an exception that is no std::exception");
  }
}

outcome outcome_of(std::optional<Reply> reply) {
  if (!reply)
    return outcome::done();
  return outcome::done(processing::reply{
      reply->status, std::move(reply->content_type), std::move(reply->body)});
}

Attempt attempt_of(const processing::attempt_context& c) {
  return {c.processor,    c.idempotency_key, c.attempt,
          c.max_attempts, c.timeout,         c.stop};
}

processing::blocking_handler blocking(Handler::Blocking f) {
  return [f = std::move(f)](const event_ptr& ev,
                            const processing::attempt_context& c) {
    try {
      return outcome_of(f(access::wrap(ev), attempt_of(c)));
    } catch (...) {
      return outcome_of(std::current_exception());
    }
  };
}

processing::async_handler async(Handler::Async f) {
  return [f = std::move(f)](const event_ptr& ev,
                            const processing::attempt_context& c,
                            processing::completion ended) {
    Completion done{
        [ended](const std::exception_ptr& why, std::optional<Reply> reply) {
          ended(why ? outcome_of(why) : outcome_of(std::move(reply)));
        }};
    try {
      f(access::wrap(ev), attempt_of(c), std::move(done));
    } catch (...) {
      ended(outcome_of(std::current_exception()));
    }
  };
}

} // namespace

processing::processor to_processor(ProcessorSpec spec) {
  const auto& o = spec.options;
  processing::processor out;
  out.name = spec.name.empty() ? o.name : spec.name;
  out.filter = access::internal(spec.filter);
  if (o.priority)
    out.priority = static_cast<eventweft::priority>(*o.priority);
  out.max_retries = o.max_retries;
  out.retry_delay = o.retry_delay;
  out.max_retry_delay = std::max(o.max_retry_delay, o.retry_delay);
  out.timeout = o.timeout;
  out.concurrency = o.concurrency;
  out.ordering = static_cast<processing::ordering>(o.ordering);
  out.answers = o.answers.value_or(spec.handler.answers());
  out.start = access::internal(o.since);
  if (spec.handler.async())
    out.handler = async(spec.handler.async());
  else if (spec.handler.blocking())
    out.handler = blocking(spec.handler.blocking());
  return out;
}

std::string processor_name(std::string_view platform,
                           std::string_view event_type) {
  std::string out{platform};
  out += '.';
  out += event_type == "*" ? std::string_view{"all"} : event_type;
  for (auto& c : out)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9') || c == '_' || c == '-'))
      c = '.';
  return out;
}

} // namespace eventweft::embed
