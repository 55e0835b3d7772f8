// SPDX-License-Identifier: Apache-2.0
#include "processing/http_handler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::Pair;
using kind = outcome::kind;

/// Answers every request as the test says.
class fake_poster final : public outgoing::poster {
 public:
  void post(outgoing::request what,
            std::function<void(outgoing::result)> done) override {
    requests.push_back(std::move(what));
    done(next);
  }
  void check(std::string, std::function<void(expected<void>)> done) override {
    done({});
  }

  std::vector<outgoing::request> requests;
  outgoing::result next = outgoing::response{200, {}, {}, false, {}};
};

class http_handler_test : public ::testing::Test {
 protected:
  outcome run(bool answers = false) {
    delivery::endpoint to;
    to.url = "https://example.org/hook";
    seeded_random random{1};
    to.keys.push_back(delivery::signing_key::make_symmetric(random));
    event e;
    e.id.bytes[15] = 7;
    e.platform = "github";
    e.event_type = "push";
    e.payload = shared_text{"{}"};
    attempt_context c;
    c.processor = "p";
    c.attempt = 3;
    c.timeout = 5s;
    std::optional<outcome> out;
    make_http_handler(to, answers, poster, time)(
        event_ptr{std::move(e)}, c, [&out](outcome o) { out = std::move(o); });
    return out.value();
  }

  void answer(int status, std::string body = {},
              outgoing::header_list headers = {}) {
    poster->next =
        outgoing::response{status, std::move(headers), std::move(body)};
  }

  std::shared_ptr<fake_poster> poster = std::make_shared<fake_poster>();
  std::shared_ptr<manual_clock> time =
      std::make_shared<manual_clock>(timestamp{1'800'000'000s});
};

TEST_F(http_handler_test, posts_the_event_signed) {
  EXPECT_EQ(run().what, kind::done);
  ASSERT_EQ(poster->requests.size(), 1u);
  const auto& r = poster->requests[0];
  EXPECT_EQ(r.url, "https://example.org/hook");
  EXPECT_EQ(r.total_timeout, 5s);
  EXPECT_NE(r.body.view().find(R"("event_type":"push")"),
            std::string_view::npos);
  EXPECT_THAT(r.headers, Contains(Pair("webhook-signature",
                                       ::testing::StartsWith("v1,"))));
  EXPECT_THAT(r.headers, Contains(Pair("Eventweft-Attempt", "3")));
}

TEST_F(http_handler_test, every_attempt_has_the_same_message_id) {
  run();
  run();
  const auto id = [this](size_t n) {
    for (const auto& [name, value] : poster->requests[n].headers)
      if (name == "webhook-id")
        return value;
    return std::string{};
  };
  EXPECT_FALSE(id(0).empty());
  EXPECT_EQ(id(0), id(1));
}

TEST_F(http_handler_test, the_status_decides) {
  answer(204);
  EXPECT_EQ(run().what, kind::done);
  answer(500);
  EXPECT_EQ(run().what, kind::failed);
  answer(302);
  EXPECT_EQ(run().what, kind::failed);
  answer(410);
  EXPECT_EQ(run().what, kind::give_up);
  answer(429, {}, {{"Retry-After", "7"}});
  const auto o = run();
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_EQ(o.retry_after, 7s);
}

TEST_F(http_handler_test, no_answer_is_a_failure) {
  poster->next = tl::unexpected{outgoing::failure{
      outgoing::failure_kind::address_refused, "a private address", {}}};
  const auto o = run();
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_NE(o.error.find("a private address"), std::string::npos);
}

TEST_F(http_handler_test, its_body_is_the_reply_if_it_answers) {
  answer(200, "hello", {{"Content-Type", "text/plain"}});
  EXPECT_FALSE(run().answer);
  const auto o = run(true);
  ASSERT_TRUE(o.answer);
  EXPECT_EQ(o.answer->body, "hello");
  EXPECT_EQ(o.answer->content_type, "text/plain");
  EXPECT_EQ(o.remark, "");
  poster->next->body_cut = true;
  EXPECT_EQ(run(true).what, kind::done);
  EXPECT_FALSE(run(true).answer);
  EXPECT_THAT(run(true).remark,
              ::testing::HasSubstr("longer than 65536 bytes"));
  EXPECT_EQ(run().remark, "");
}

TEST_F(http_handler_test, tells_that_its_time_was_up) {
  poster->next = tl::unexpected{outgoing::failure{
      outgoing::failure_kind::timed_out, "no answer in time", {}}};
  auto o = run();
  EXPECT_EQ(o.what, kind::failed);
  EXPECT_TRUE(o.timed_out);
  poster->next = tl::unexpected{
      outgoing::failure{outgoing::failure_kind::connect, "refused", {}}};
  EXPECT_FALSE(run().timed_out);
  answer(504);
  EXPECT_FALSE(run().timed_out) << "an answer";
}

} // namespace
} // namespace eventweft::processing
