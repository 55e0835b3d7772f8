// SPDX-License-Identifier: Apache-2.0
#include "app/delivery_options.hpp"

#include "config/age.hpp"

#include <algorithm>

namespace eventweft {

expected<std::vector<std::chrono::microseconds>>
parse_schedule(std::string_view text) {
  std::vector<std::chrono::microseconds> out;
  constexpr std::string_view blanks = " ,\t";
  while (true) {
    const auto start = text.find_first_not_of(blanks);
    if (start == std::string_view::npos)
      break;
    text.remove_prefix(start);
    const auto word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    auto pause = config::parse_age(word);
    if (!pause)
      return fail(pause.error());
    out.emplace_back(**pause);
  }
  constexpr size_t most = 50;
  if (out.size() > most)
    return fail(ec::bad_configuration, "more than 50 pauses");
  return out;
}

expected<subscriptions_options>
subscriptions_options_of(const config::settings& s) {
  const auto& w = s.webhooks;
  subscriptions_options out;
  out.deliver = w.enabled;
  out.max_streams = w.max_streams;
  out.max_subscriptions = w.max_subscriptions;
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  out.timeout = s.database.connect_timeout + s.database.statement_timeout;
  out.stop_timeout =
      std::max(s.server.shutdown_timeout / 3, std::chrono::milliseconds{100});
  auto& sender = out.sender;
  sender.request_timeout = w.timeout;
  sender.retry_min = s.store.retry_min;
  sender.retry_max = s.store.retry_max;
  auto& q = sender.queue;
  q.max_concurrent = std::max(w.max_concurrent, 1u);
  q.max_unfinished = std::max(w.max_unfinished, 1u);
  auto pauses = parse_schedule(w.retry_schedule);
  if (!pauses)
    return fail(ec::bad_configuration,
                "[webhooks] retry_schedule: " + pauses.error().message);
  q.schedule.pauses = std::move(*pauses);
  q.schedule.jitter = w.retry_jitter_percent / 100.0;
  q.schedule.max_retry_after = w.max_retry_after;
  q.schedule.max_age = w.max_age;
  q.breaker.failures_to_open = std::max(w.breaker_failures, 1u);
  q.breaker.open_min = w.breaker_min;
  q.breaker.open_max = std::max(w.breaker_max, w.breaker_min);
  return out;
}

} // namespace eventweft
