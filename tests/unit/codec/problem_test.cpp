// SPDX-License-Identifier: Apache-2.0
#include "codec/problem.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

TEST(Problem, EveryCodeHasItsStatus) {
  const std::pair<ec, int> expected_statuses[] = {
      {ec::malformed, 400},          {ec::unauthorized, 401},
      {ec::forbidden, 403},          {ec::not_found, 404},
      {ec::method_not_allowed, 405}, {ec::timed_out, 408},
      {ec::conflict, 409},           {ec::not_owner, 409},
      {ec::too_large, 413},          {ec::unsupported_media_type, 415},
      {ec::unprocessable, 422},      {ec::row_refused, 422},
      {ec::too_many_requests, 429},  {ec::overloaded, 503},
      {ec::store_unavailable, 503},  {ec::store_full, 503},
      {ec::schema_mismatch, 503},    {ec::shutting_down, 503},
      {ec::internal, 500},           {ec::corrupt, 500},
      {ec::outdated, 409},
  };
  for (const auto& [code, status] : expected_statuses)
    EXPECT_EQ(http_status(code), status) << to_string(code);
}

TEST(Problem, IsWhatRfc9457Says) {
  const auto json =
      boost::json::parse(
          problem_json(400, {ec::malformed, "line 1: \"x\" \xFF"}))
          .as_object();
  EXPECT_EQ(json.at("type").as_string(), "about:blank");
  EXPECT_EQ(json.at("title").as_string(), "Bad Request");
  EXPECT_EQ(json.at("status").as_int64(), 400);
  EXPECT_EQ(json.at("detail").as_string(), "line 1: \"x\" \xEF\xBF\xBD");
  EXPECT_EQ(json.at("code").as_string(), "malformed");
}

TEST(Problem, EveryStatusHasATitle) {
  for (int status = 400; status < 600; ++status) {
    const auto json = boost::json::parse(problem_json(status, {}));
    EXPECT_FALSE(json.at("title").as_string().empty()) << status;
  }
}

} // namespace
} // namespace eventweft::codec
