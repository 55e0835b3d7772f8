// SPDX-License-Identifier: Apache-2.0
#include "delivery/verdict.hpp"

#include "delivery/http_date.hpp"

namespace eventweft::delivery {

namespace {

outcome outcome_of(int status) noexcept {
  if (status >= 200 && status < 300)
    return outcome::delivered;
  switch (status) {
  case 410:
    return outcome::gone;
  case 429:
  case 502:
  case 503:
  case 504:
    return outcome::throttled;
  default:
    return outcome::failed;
  }
}

} // namespace

std::string_view to_string(outcome o) noexcept {
  switch (o) {
  case outcome::delivered:
    return "delivered";
  case outcome::failed:
    return "failed";
  case outcome::throttled:
    return "throttled";
  case outcome::gone:
    return "gone";
  case outcome::not_sent:
    return "not_sent";
  }
  return "failed";
}

verdict judge(const outgoing::result& answer, timestamp now) {
  verdict out;
  if (!answer) {
    const auto& why = answer.error();
    const bool ours = why.kind == outgoing::failure_kind::overloaded ||
                      why.kind == outgoing::failure_kind::shutting_down;
    out.outcome = ours ? outcome::not_sent : outcome::failed;
    out.reason =
        std::string{outgoing::to_string(why.kind)} + ": " + why.message;
    return out;
  }
  out.status = answer->status;
  out.outcome = outcome_of(answer->status);
  if (out.outcome == outcome::delivered)
    return out;
  out.reason = "answered " + std::to_string(answer->status);
  if (answer->status >= 300 && answer->status < 400)
    out.reason += "; redirects are not followed";
  if (out.outcome != outcome::gone)
    out.retry_after = parse_retry_after(answer->header("retry-after"), now);
  return out;
}

} // namespace eventweft::delivery
