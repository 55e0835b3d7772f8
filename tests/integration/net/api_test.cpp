// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace eventweft::net {
namespace {

class http_api : public server_test {
 protected:
  http_answer ask(const std::string& request) {
    auto c = connect();
    return c.ask(request);
  }
};

TEST_F(http_api, ListsEvents) {
  backend_.commit(3);
  start();
  const auto a = ask(get("/api/v1/events?limit=2&platform=github,slack"
                         "&platform=linear&actor=me&order=asc"
                         "&since=2026-01-31T12:00:00Z"
                         "&processed_since=2026-01-31T12:00:01Z"
                         "&processed_until=2026-01-31T12:00:02Z"
                         "&min_duration=0.25&max_duration=60"));
  EXPECT_EQ(a.status, 200);
  EXPECT_NE(a.body.find("\"next_cursor\":\"2\""), std::string::npos);
  const auto q = backend_.last_query();
  EXPECT_EQ(q.limit, 2u);
  EXPECT_TRUE(q.ascending);
  EXPECT_EQ(q.platforms,
            (std::vector<std::string>{"github", "slack", "linear"}));
  EXPECT_EQ(q.actors, std::vector<std::string>{"me"});
  EXPECT_EQ(q.since, parse_rfc3339("2026-01-31T12:00:00Z"));
  EXPECT_EQ(q.processed_since, parse_rfc3339("2026-01-31T12:00:01Z"));
  EXPECT_EQ(q.processed_until, parse_rfc3339("2026-01-31T12:00:02Z"));
  EXPECT_EQ(q.min_duration, 0.25);
  EXPECT_EQ(q.max_duration, 60);
}

TEST_F(http_api, NamesABadParameter) {
  start();
  for (const auto* bad :
       {"limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=abc",
        "order=up", "since=today", "until=", "correlation_id=1", "color=red",
        "processed_since=earliest", "processed_until=7", "min_duration=-1",
        "max_duration=nan"}) {
    const auto a = ask(get(std::string{"/api/v1/events?"} + bad));
    EXPECT_EQ(a.status, 400) << bad;
    const std::string name{bad, std::string_view{bad}.find('=')};
    EXPECT_NE(a.body.find(name), std::string::npos) << a.body;
  }
  EXPECT_EQ(ask(get("/api/v1/events?limit=%zz")).status, 400);
  EXPECT_EQ(ask(get("/api/v1/streams?x=1")).status, 400);
}

TEST_F(http_api, ExplainsWhatAFilterMakesOfAnEvent) {
  backend_.commit(1, "issues:opened");
  start();
  const std::string event =
      "/api/v1/events/01000000-0000-0000-0000-000000000001/explain";
  const auto a = ask(get(event + "?stream=issue_events&filter=%7B%22platforms"
                                 "%22:%5B%22slack%22%5D%7D"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body,
            R"({"id":"01000000-0000-0000-0000-000000000001","seq":1,)"
            R"("matched":false,"stream":{"matched":true,"members":[{)"
            R"("member":"event_types","matched":true,"wanted":["issues"],)"
            R"("found":"issues:opened","why":null}]},"filter":{)"
            R"("matched":false,"members":[{"member":"platforms",)"
            R"("matched":false,"wanted":["slack"],"found":"github",)"
            R"("why":"the event's is \"github\", which is none of these"}]}})");
  const std::pair<std::string, int> bad[] = {
      {event, 400},
      {event + "?filter={", 400},
      {event + "?filter=%7B%22x%22:1%7D", 422},
      {event + "?stream=nothing", 404},
      {event + "?stream=all_events&color=red", 400},
      {event + "?stream=all_events&stream=issue_events", 400},
      {"/api/v1/events/x/explain?filter=%7B%7D", 400},
      {"/api/v1/events/01000000-0000-0000-0000-000000000002/explain"
       "?filter=%7B%7D",
       404}};
  for (const auto& [target, status] : bad)
    EXPECT_EQ(ask(get(target)).status, status) << target;
}

TEST_F(http_api, FindsOneEvent) {
  backend_.commit(1);
  start();
  const auto a =
      ask(get("/api/v1/events/01000000-0000-0000-0000-000000000001"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(seq_of(a.body), 1);
  EXPECT_EQ(
      ask(get("/api/v1/events/01000000-0000-0000-0000-000000000002")).status,
      404);
  EXPECT_EQ(ask(get("/api/v1/events/one")).status, 400);
}

TEST_F(http_api, TellsItsStreams) {
  start();
  const auto list = ask(get("/api/v1/streams"));
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.body,
            R"({"streams":[{"name":"all_events","description":"everything",)"
            R"("filter":{},"built_in":true,"created_at":null},)"
            R"({"name":"issue_events","description":"issues only",)"
            R"("filter":{"event_types":["issues"]},"built_in":true,)"
            R"("created_at":null}],"next_cursor":null})");
  EXPECT_EQ(ask(get("/api/v1/streams/issue_events")).status, 200);
  EXPECT_EQ(ask(get("/api/v1/streams/none")).status, 404);
}

TEST_F(http_api, WalksDeadLetters) {
  for (uint8_t i = 5; i != 0; --i) {
    dead_letter d;
    d.id.bytes[15] = i;
    d.reason = "reason \"" + std::to_string(i) + '"';
    d.body.assign(2'000, 'x');
    backend_.letters.push_back(d);
  }
  start();
  const auto first = ask(get("/api/v1/dead-letters?limit=3"));
  EXPECT_EQ(first.status, 200);
  EXPECT_NE(first.body.find(R"("reason":"reason \"3\"")"), std::string::npos);
  EXPECT_EQ(first.body.find(R"(reason \"2\")"), std::string::npos);
  // Each by itself has its body, which may be large.
  EXPECT_NE(first.body.find(R"("body_bytes":2000})"), std::string::npos);
  EXPECT_EQ(first.body.find("\"body\":"), std::string::npos);
  const auto whole = ask(get("/api/v1/dead-letters?bodies=true"));
  EXPECT_NE(whole.body.find("\"body\":\"xxx"), std::string::npos);
  EXPECT_EQ(whole.body.find("body_bytes"), std::string::npos);
  EXPECT_EQ(ask(get("/api/v1/dead-letters?bodies=true&limit=21")).status, 400);
  const std::string third = "00000000-0000-0000-0000-000000000003";
  EXPECT_NE(first.body.find(R"("next_cursor":")" + third), std::string::npos);
  const auto second = ask(get("/api/v1/dead-letters?limit=3&cursor=" + third));
  EXPECT_NE(second.body.find(R"(reason \"2\")"), std::string::npos);
  EXPECT_NE(second.body.find(R"("next_cursor":null)"), std::string::npos);

  const auto retried =
      ask(post("/api/v1/dead-letters/" + third + "/retry", ""));
  EXPECT_EQ(retried.status, 200);
  EXPECT_EQ(retried.body, R"({"id":")" + third + R"(","retried":true})");
  const auto drop = [&](const std::string& id) {
    return ask("DELETE /api/v1/dead-letters/" + id +
               " HTTP/1.1\r\nHost: a\r\n\r\n")
        .status;
  };
  EXPECT_EQ(drop(third), 204);
  EXPECT_EQ(drop("00000000-0000-0000-0000-000000000009"), 404);
  EXPECT_EQ(drop("x"), 400);
}

TEST_F(http_api, FindsDeadLettersByWhatTheyAreAbout) {
  dead_letter d;
  d.id.bytes[15] = 1;
  d.origin = "processor:notify";
  d.history = {{timestamp{}, "it said \"no\""}};
  backend_.letters.push_back(d);
  d.id.bytes[15] = 2;
  d.origin = "spool";
  backend_.letters.push_back(d);
  start();
  const auto found = ask(get("/api/v1/dead-letters?origin=processor:notify"));
  EXPECT_NE(found.body.find("processor:notify"), std::string::npos);
  EXPECT_EQ(found.body.find("spool"), std::string::npos);
  const auto one =
      ask(get("/api/v1/dead-letters/00000000-0000-0000-0000-000000000001"));
  EXPECT_EQ(one.status, 200);
  EXPECT_NE(one.body.find(R"("error":"it said \"no\"")"), std::string::npos);
  EXPECT_EQ(ask(get("/api/v1/dead-letters/"
                    "00000000-0000-0000-0000-000000000009"))
                .status,
            404);
  for (const auto* wrong :
       {"since=yesterday", "event_id=7", "limit=0", "limit=1001", "rate=5",
        "colour=red", "all=true", "cursor=1", "origin=a&origin=b",
        "platform=%00", "platform=", "event_type=,"})
    EXPECT_EQ(ask(get("/api/v1/dead-letters?" + std::string{wrong})).status,
              400)
        << wrong;
}

TEST_F(http_api, RetriesAndDropsManyDeadLetters) {
  dead_letter d;
  d.origin = "spool";
  backend_.letters.push_back(d);
  start();
  const std::string retry = "/api/v1/dead-letters/retry";
  // By accident nobody means all of them.
  EXPECT_EQ(ask(post(retry, "")).status, 422);
  for (const auto* wrong :
       {"rate=x", "rate=-1", "rate=1e-300", "rate=nan", "all=maybe", "limit=1",
        "cursor=00000000-0000-0000-0000-000000000009"})
    EXPECT_EQ(ask(post(retry + "?origin=spool&" + wrong, "")).status, 400)
        << wrong;
  const auto begun = ask(post(retry + "?origin=spool&rate=5", ""));
  EXPECT_EQ(begun.status, 202);
  EXPECT_NE(begun.body.find(R"("running":true)"), std::string::npos);
  EXPECT_EQ(ask(post(retry + "?all=true", "")).status, 409);
  EXPECT_EQ(ask(get(retry)).status, 200);
  const auto remove = [&](const std::string& what) {
    return ask("DELETE /api/v1/dead-letters" + what +
               " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_NE(remove("/retry").body.find(R"("running":false,"stopped":true)"),
            std::string::npos);
  EXPECT_EQ(remove("").status, 422);
  // Not taken for more than was meant.
  EXPECT_EQ(remove("?all=true&limit=1").status, 400);
  EXPECT_EQ(remove("?origin=spool&origin=processor").status, 400);
  EXPECT_EQ(remove("?platform=,").status, 400);
  EXPECT_EQ(remove("?origin=spool").body, R"({"dropped":1})");
}

TEST_F(http_api, TellsHowProcessorsAreDoing) {
  start();
  const auto all = ask(get("/api/v1/processors"));
  EXPECT_EQ(all.status, 200);
  EXPECT_NE(all.body.find(R"("name":"notify","kind":"exec","state":"running")"),
            std::string::npos);
  EXPECT_NE(all.body.find(R"("owner":null,"ready":0)"), std::string::npos);
  EXPECT_EQ(ask(get("/api/v1/processors/notify")).status, 200);
  // Another node's: what is unknown is not told as nothing.
  EXPECT_EQ(ask(get("/api/v1/processors/theirs")).body,
            R"({"name":"theirs","kind":"exec","state":"elsewhere",)"
            R"("detail":"","owner":"node-b","ready":null,)"
            R"("running":null,"waiting":null,"completed":null,)"
            R"("retried":null,"failed":null,"timed_out":null,)"
            R"("cursor":null})");
  EXPECT_EQ(ask(get("/api/v1/processors/other")).status, 404);
}

TEST_F(http_api, LetsGoOfAProcessorThatIsGone) {
  start();
  const auto drop = [&](const std::string& name) {
    return ask("DELETE /api/v1/processors/" + name +
               " HTTP/1.1\r\nHost: x\r\n\r\n");
  };
  const auto gone = drop("gone");
  EXPECT_EQ(gone.status, 202);
  EXPECT_EQ(gone.body, R"({"name":"gone","events":11})");
  EXPECT_EQ(drop("notify").status, 409);
}

TEST_F(http_api, TellsMetricsAndHealth) {
  start();
  EXPECT_EQ(ask(get("/api/v1/metrics")).body, "{\"queue\":{}}");
  const auto text = ask(get("/metrics"));
  EXPECT_EQ(text.body, "up 1\n");
  EXPECT_EQ(text.header("content-type").substr(0, 10), "text/plain");
  // What gets past caches.
  EXPECT_EQ(ask(get("/healthz?x=1")).status, 200);
  EXPECT_EQ(ask(get("/readyz?%zz")).status, 200);
}

TEST_F(http_api, TellsWhetherItIsReady) {
  backend_.ready_state = "degraded";
  start();
  auto a = ask(get("/readyz"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, R"({"status":"degraded","parts":[{"name":"store",)"
                    R"("state":"degraded","detail":"as the test says"}]})");
  backend_.ready_state = "down";
  EXPECT_EQ(ask(get("/readyz")).status, 503);
}

} // namespace
} // namespace eventweft::net
