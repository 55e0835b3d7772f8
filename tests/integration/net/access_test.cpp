// SPDX-License-Identifier: Apache-2.0
#include "access_fixture.hpp"
#include "net/routes.hpp"

#include <gmock/gmock.h>

#include <set>

namespace eventweft::net {
namespace {

using auth::needs;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

/// What a credential opens; 401 where it is none.
struct credential {
  std::string name;
  std::string header;
  bool holds = true;
  std::set<needs> opens;
};

std::string path_of(const route& r) {
  std::string path{r.pattern};
  if (const auto open = path.find('{'); open != std::string::npos) {
    const bool platform = path.find("{platform}") != std::string::npos;
    const bool stream =
        r.target == endpoint::websocket || r.target == endpoint::sse;
    path.replace(open, path.find('}') - open + 1,
                 platform ? "github"
                 : stream ? "issue_events"
                          : "nobody");
  }
  return path;
}

class access_matrix : public access_test {
 protected:
  std::vector<credential> credentials() {
    const auto now = clock_.now();
    const std::set<needs> reads{needs::read, needs::visible, needs::stream,
                                needs::anybody};
    auto expired = access_.key("admin", {}, now + 1us);
    auto revoked = access_.key("admin");
    access_.revoke(revoked.record.id);
    auto wrong = access_.key("admin").text;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    const auto bearer = [](const std::string& text) {
      return "Authorization: Bearer " + text + "\r\n";
    };
    return {
        {"none", "", false, {}},
        {"empty", "Authorization: \r\n", false, {}},
        {"another scheme", "Authorization: Basic YTpi\r\n", false, {}},
        {"wrong", bearer(wrong), false, {}},
        {"nonsense", bearer("a.b.c"), false, {}},
        {"expired", bearer(expired.text), false, {}},
        {"revoked", bearer(revoked.text), false, {}},
        {"ingest",
         access_.header("ingest"),
         true,
         {needs::ingest, needs::anybody}},
        {"read", access_.header("read"), true, reads},
        {"its stream",
         access_.header("stream:issue_*"),
         true,
         {needs::stream, needs::anybody}},
        {"another stream",
         access_.header("stream:pr_*"),
         true,
         {needs::anybody}},
        {"manage",
         access_.header("manage"),
         true,
         {needs::manage, needs::anybody}},
        {"admin",
         access_.header("admin"),
         true,
         {needs::ingest, needs::read, needs::visible, needs::stream,
          needs::manage, needs::admin, needs::anybody}},
        {"read through a filter",
         access_.header("read", "octo/*"),
         true,
         {needs::visible, needs::stream, needs::anybody}},
        {"ingest through a filter",
         access_.header("ingest", "octo/*"),
         true,
         {needs::ingest, needs::anybody}},
        {"manage through a filter",
         access_.header("manage", "octo/*"),
         true,
         {needs::anybody}},
        {"admin through a filter",
         access_.header("admin", "octo/*"),
         true,
         {needs::ingest, needs::visible, needs::stream, needs::anybody}},
    };
  }

  int status(const route& r, const credential& c) {
    // HEAD opens a stream as GET does, and ends.
    const bool stream = r.target == endpoint::sse;
    const auto method =
        stream ? std::string{"HEAD"}
               : std::string{boost::beast::http::to_string(r.method)};
    auto client = connect();
    client.send(method + ' ' + path_of(r) +
                " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                "Content-Type: application/json\r\n" +
                c.header + "\r\n{}");
    return client.read_answer(stream).status;
  }
};

TEST_F(access_matrix, EveryRouteAndEveryCredential) {
  start_locked();
  const auto all = credentials();
  for (const auto& r : route_table()) {
    ASSERT_NE(r.needs, needs::undecided) << r.pattern;
    const bool open = r.needs == needs::nothing || r.needs == needs::signature;
    for (const auto& c : all) {
      const auto got = status(r, c);
      const auto what = std::string{r.pattern} + " with " + c.name;
      if (open || (c.holds && c.opens.contains(r.needs))) {
        EXPECT_NE(got, 401) << what;
        EXPECT_NE(got, 403) << what;
      } else {
        EXPECT_EQ(got, c.holds ? 403 : 401) << what;
      }
    }
  }
}

/// Browsers send what any page tells them to, from within the network that the
/// server trusts.
TEST_F(access_matrix, EveryRouteAndAPageOfAnotherOrigin) {
  for (const bool locked : {true, false}) {
    std::string header = "Origin: https://evil.example\r\n";
    if (locked) {
      start_locked();
      header += access_.header("admin");
    } else {
      running_.reset();
      backend_.access_ = nullptr;
      start();
    }
    for (const auto& r : route_table()) {
      const bool open = r.needs == needs::nothing ||
                        r.needs == needs::signature || r.needs == needs::ingest;
      const auto got = status(r, {"a page", header, true, {}});
      EXPECT_EQ(got == 403, !open) << r.pattern << ": " << got;
    }
  }
}

TEST_F(access_matrix, WhatIsOpenIsListedHere) {
  std::set<std::string> open;
  for (const auto& r : route_table())
    if (r.needs == needs::nothing || r.needs == needs::signature)
      open.insert(std::string{boost::beast::http::to_string(r.method)} + ' ' +
                  std::string{r.pattern});
  EXPECT_THAT(open, testing::ElementsAre(
                        "GET /healthz", "GET /readyz", "OPTIONS /events",
                        "OPTIONS /webhooks/events", "POST /webhooks/{platform}",
                        "POST /{platform}/events"));
}

TEST_F(access_matrix, ManagingIsNeverAMatterOfReading) {
  for (const auto& r : route_table()) {
    const bool changes = r.method != boost::beast::http::verb::get &&
                         r.method != boost::beast::http::verb::options;
    const bool ingests =
        r.needs == needs::signature || r.needs == needs::ingest;
    if (changes && !ingests && r.target != endpoint::make_ticket) {
      EXPECT_TRUE(auth::is_audited(r.needs)) << r.pattern;
    }
  }
}

// -- the answers --------------------------------------------------------------

TEST_F(access_test, SaysWhatIsMissing) {
  start_locked();
  auto a = ask(get("/api/v1/events"));
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(a.header("www-authenticate"), R"(Bearer realm="eventweft")");
  a = ask(get("/api/v1/events", "Authorization: Bearer sentinel\r\n"));
  EXPECT_EQ(a.status, 401);
  EXPECT_THAT(a.header("www-authenticate"), HasSubstr("invalid_token"));
  EXPECT_THAT(a.body, Not(HasSubstr("sentinel")));
  a = ask(get("/api/v1/events", access_.header("ingest")));
  EXPECT_EQ(a.status, 403);
  EXPECT_THAT(a.body, HasSubstr(R"(scope \"read\")"));
  EXPECT_THAT(
      metrics_.text(),
      HasSubstr(R"(eventweft_access_refused_total{reason="missing"} 1)"));
}

TEST_F(access_test, EveryPlatformSaysWhatProofItWants) {
  backend_.on_webhook = [](const webhook&, reply_to<webhook_answer> reply) {
    reply(fail(ec::unauthorized, "no proof"));
  };
  auto options = fake_access::unlimited();
  options.ingest_proves_itself = true;
  start_locked(options);
  auto a = ask(post("/github/events", "{}"));
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(a.header("www-authenticate"),
            R"(Signature realm="eventweft/github")");
  a = ask(post("/events", "{}"));
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(a.header("www-authenticate"), R"(Bearer realm="eventweft")");
}

/// Good ones of the same address are not held up: somebody else may send them.
TEST_F(access_test, ProofsThatDoNotHoldAreLimited) {
  backend_.on_webhook = [](const webhook& w, reply_to<webhook_answer> reply) {
    if (w.body.view() == "good")
      reply(webhook_answer{});
    else
      reply(fail(ec::unauthorized, "no proof"));
  };
  auto options = fake_access::unlimited();
  // None comes back before the test is over.
  options.failures = {0.001, 3, 10};
  options.ingest_proves_itself = true;
  start_locked(options);
  EXPECT_EQ(ask(post("/github/events", "bad")).status, 401);
  EXPECT_EQ(ask(post("/webhooks/github", "bad")).status, 401);
  EXPECT_EQ(ask(post("/events", "bad")).status, 401);
  const auto a = ask(post("/github/events", "bad"));
  EXPECT_EQ(a.status, 429);
  EXPECT_NE(a.header("retry-after"), "");
  EXPECT_EQ(a.header("www-authenticate"), "");
  EXPECT_EQ(ask(post("/events", "bad")).status, 429);
  EXPECT_EQ(ask(post("/github/events", "good")).status, 200);
  EXPECT_THAT(metrics_.text(),
              HasSubstr(R"(eventweft_access_refused_total{reason="proof"} 3)"));
}

TEST_F(access_test, RefusesBeforeTheBodyIsRead) {
  start_locked();
  auto c = connect();
  c.send("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n"
         "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_answer().status, 401);
}

TEST_F(access_test, TellsWhenToComeBack) {
  auto options = fake_access::unlimited();
  options.keys = {1, 1, 10};
  start_locked(options);
  const auto reader = access_.header("read");
  EXPECT_EQ(ask(get("/api/v1/streams", reader)).status, 200);
  const auto a = ask(get("/api/v1/streams", reader));
  EXPECT_EQ(a.status, 429);
  EXPECT_EQ(a.header("retry-after"), "1");
}

TEST_F(access_test, HandsProvenEventsToTheirPlatform) {
  std::vector<webhook> got;
  backend_.on_webhook = [&](webhook w, reply_to<webhook_answer> reply) {
    got.push_back(std::move(w));
    reply(webhook_answer{});
  };
  start_locked();
  const auto key = access_.key("ingest").text;
  EXPECT_EQ(ask(post("/events", "{}", "Authorization: Bearer " + key + "\r\n"))
                .status,
            200);
  EXPECT_EQ(ask(post("/events?access_token=" + key, "{}")).status, 200);
  // Elsewhere a key in the URL is nobody's.
  EXPECT_EQ(ask(get("/api/v1/streams?access_token=" + access_.key("read").text))
                .status,
            401);
  EXPECT_EQ(ask(post("/github/events", "{}")).status, 200);
  EXPECT_EQ(ask(post("/webhooks/events", "{}",
                     "Authorization: Bearer " + key + "\r\n"))
                .status,
            200);
  ASSERT_EQ(got.size(), 4u);
  EXPECT_TRUE(got[0].proven);
  EXPECT_TRUE(got[1].proven);
  EXPECT_EQ(got[1].query, "");
  EXPECT_FALSE(got[2].proven);
  EXPECT_TRUE(got[3].proven);
  EXPECT_EQ(got[3].platform, "events");
}

// -- forced filters -----------------------------------------------------------

event from(const std::string& source) {
  event e;
  e.platform = "github";
  e.event_type = "push";
  e.source_name = source;
  e.event_id = source;
  e.payload = shared_text{"{}"};
  return e;
}

TEST_F(access_test, ATenantSeesItsOwnOnly) {
  backend_.commit({from("octo/a"), from("other/b"), from("octo/c")});
  start_locked();
  const auto tenant = access_.header("read", "octo/*");
  auto a = ask(get("/api/v1/events?order=asc", tenant));
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.body, HasSubstr("octo/a"));
  EXPECT_THAT(a.body, HasSubstr("octo/c"));
  EXPECT_THAT(a.body, Not(HasSubstr("other/b")));
  a = ask(get("/api/v1/events?order=asc&limit=1", tenant));
  EXPECT_THAT(a.body, HasSubstr(R"("next_cursor":"1")"));
  a = ask(get("/api/v1/events?order=asc&limit=1&cursor=1", tenant));
  EXPECT_THAT(a.body, HasSubstr("octo/c"));
  const std::string id = "/api/v1/events/01000000-0000-0000-0000-00000000000";
  EXPECT_EQ(ask(get(id + "1", tenant)).status, 200);
  EXPECT_EQ(ask(get(id + "2", tenant)).status, 404);
  EXPECT_EQ(ask(get(id + "2", access_.header("read"))).status, 200);
  EXPECT_EQ(ask(get(id + "2/explain?filter=%7B%7D", tenant)).status, 404);
  EXPECT_EQ(ask(get(id + "1/explain?filter=%7B%7D", tenant)).status, 200);
}

TEST_F(access_test, ATenantOfAThreadFollowsItIntoAnother) {
  const auto former = *uuid::parse("02000000-0000-0000-0000-000000000001");
  const auto present = *uuid::parse("02000000-0000-0000-0000-000000000002");
  auto inside = from("octo/a");
  inside.correlation_id = present;
  backend_.merged[former] = present;
  backend_.commit({from("other/b"), inside});
  start_locked();
  auth::api_key wanted;
  wanted.scopes = *auth::parse_scopes("read");
  wanted.forced.emplace();
  wanted.forced->correlation_ids = {to_string(former)};
  std::string tenant;
  access_.create_key(wanted, [&](expected<auth::new_api_key> made) {
    tenant = "Authorization: Bearer " + made->text + "\r\n";
  });
  const auto a = ask(get("/api/v1/events?order=asc", tenant));
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.body, HasSubstr("octo/a"));
  EXPECT_THAT(a.body, Not(HasSubstr("other/b")));
  EXPECT_EQ(backend_.last_query().correlation_id, present);
  const std::string id = "/api/v1/events/01000000-0000-0000-0000-00000000000";
  EXPECT_EQ(ask(get(id + "1", tenant)).status, 404);
  EXPECT_EQ(ask(get(id + "2", tenant)).status, 200);
}

TEST_F(access_test, TicketsAreForStreamsThatExist) {
  start_locked();
  const auto asked = [&](const std::string& scope, const std::string& stream) {
    return ask(post("/api/v1/tickets", R"({"stream":")" + stream + "\"}",
                    access_.header(scope)))
        .status;
  };
  EXPECT_EQ(asked("read", "all_events"), 201);
  EXPECT_EQ(asked("read", "none"), 404);
  // Whether there is one is nothing to those who may not follow it.
  EXPECT_EQ(asked("ingest", "all_events"), 403);
  EXPECT_EQ(asked("ingest", "none"), 403);
}

TEST_F(access_test, ATicketOfAnotherNodeIsGoodOnce) {
  access_.shared = std::make_shared<auth::ticket_office>(auth::ticket_options{},
                                                         clock_, random_);
  auto limits = fake_access::unlimited();
  limits.addresses = {.per_second = 0.001, .burst = 6};
  start_locked(limits);
  auth::principal who;
  who.how = auth::principal::kind::api_key;
  who.key = who.id = access_.key("read").record.id;
  who.scopes = *auth::parse_scopes("read");
  const auto path = [](const std::string& ticket) {
    return "/ws/events/all_events?ticket=" + ticket;
  };
  const auto theirs = *access_.shared->issue(who, "all_events");
  ws_client ws{port_, path(theirs)};
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  EXPECT_THROW((ws_client{port_, path(theirs)}), std::runtime_error);
  // Its key opens nothing any more.
  const auto late = *access_.shared->issue(who, "all_events");
  access_.revoke(who.key);
  EXPECT_THROW((ws_client{port_, path(late)}), std::runtime_error);
  const auto ours = ask(post("/api/v1/tickets", R"({"stream":"all_events"})",
                             access_.header("read")));
  EXPECT_EQ(ours.status, 201);
  EXPECT_EQ(access_.shared->outstanding(), 1u);
  // Whoever asks too often is not looked up.
  EXPECT_EQ(ask(get("/events/stream/all_events?ticket=ewt_1")).status, 401);
  EXPECT_EQ(ask(get("/events/stream/all_events?ticket=ewt_2")).status, 401);
  const int before = access_.redeemed;
  EXPECT_EQ(ask(get("/events/stream/all_events?ticket=ewt_3")).status, 429);
  EXPECT_EQ(access_.redeemed, before);
}

TEST_F(access_test, AStreamStaysWithinTheForcedFilter) {
  start_locked();
  const auto key = access_.key("read", "octo/*").text;
  const auto ticket_answer =
      ask(post("/api/v1/tickets", R"({"stream":"all_events"})",
               "Authorization: Bearer " + key + "\r\n"));
  ASSERT_EQ(ticket_answer.status, 201);
  const auto from_at = ticket_answer.body.find("ewt_");
  const auto ticket = ticket_answer.body.substr(
      from_at, ticket_answer.body.find('"', from_at) - from_at);
  ws_client ws{port_, "/ws/events/all_events?ticket=" + ticket};
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit({from("other/b"), from("octo/a")});
  EXPECT_EQ(ws.read_seq(), 2);
  ws.send(R"({"filter":{"source_names":["other/*"]}})");
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 2; }));
  ws.send(R"({"filter":{}})");
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 3; }));
  backend_.commit({from("other/b"), from("octo/a")});
  EXPECT_EQ(ws.read_seq(), 4);
  // Which keys lead to threads is not for everybody to find out.
  ws.send(R"({"filter":{"correlation_ids":["ENG-42"]}})");
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 4; }));
  EXPECT_EQ(backend_.present_filter_forced.source_names,
            std::vector<std::string>{"octo/*"});
  // It was good for once.
  EXPECT_THROW((ws_client{port_, "/ws/events/all_events?ticket=" + ticket}),
               std::runtime_error);
}

// -- the end of a stream ------------------------------------------------------

TEST_F(access_test, ARevokedKeyEndsItsStreamsAtOnce) {
  start_locked();
  const auto key = access_.key("read");
  const auto other = access_.header("read");
  const auto bearer = "Authorization: Bearer " + key.text + "\r\n";
  auto sse = connect();
  sse.send(get("/events/stream/all_events", bearer));
  sse.read_until("retry: ");
  auto stays = connect();
  stays.send(get("/events/stream/all_events", other));
  stays.read_until("retry: ");
  const auto answer =
      ask(post("/api/v1/tickets", R"({"stream":"all_events"})", bearer));
  const auto at = answer.body.find("ewt_");
  ws_client ws{port_,
               "/ws/events/all_events?ticket=" +
                   answer.body.substr(at, answer.body.find('"', at) - at)};
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 3; }));
  const auto before = std::chrono::steady_clock::now();
  access_.revoke(key.record.id);
  EXPECT_EQ(ws.read(), std::nullopt);
  EXPECT_EQ(ws.close_code(), 1008);
  EXPECT_THAT(sse.read_to_end(),
              HasSubstr("event: end\ndata: the API key was revoked\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  backend_.commit(1);
  stays.read_until("id: 1\n");
}

TEST_F(access_test, TheFirstKeyEndsTheStreamsOfNobody) {
  access_.open(fake_access::unlimited());
  start();
  auto sse = connect();
  sse.send(get("/events/stream/all_events"));
  sse.read_until("retry: ");
  ws_client ws{port_, "/ws/events/all_events"};
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 2; }));
  ASSERT_EQ(ask(post("/api/v1/keys", R"({"scopes":["read"]})")).status, 201);
  EXPECT_EQ(ws.read(), std::nullopt);
  EXPECT_EQ(ws.close_code(), 4001);
  EXPECT_THAT(sse.read_to_end(),
              HasSubstr("event: end\ndata: credentials are needed by now\n"));
  EXPECT_EQ(ask(get("/api/v1/streams")).status, 401);
}

TEST_F(access_test, CredentialsThatExpireEndTheirStreams) {
  streaming_.ping_interval = 100ms;
  start_locked();
  const auto key = access_.key("read", {}, clock_.now() + 700ms);
  const auto bearer = "Authorization: Bearer " + key.text + "\r\n";
  auto sse = connect();
  sse.send(get("/events/stream/all_events", bearer));
  EXPECT_THAT(sse.read_to_end(),
              HasSubstr("event: end\ndata: the credentials have expired\n"));
  EXPECT_EQ(ask(get("/api/v1/events", bearer)).status, 401);
}

// -- keys and the audit trail -------------------------------------------------

TEST_F(access_test, KeysAreMadeListedAndRevoked) {
  start_locked();
  const auto admin = access_.header("admin");
  auto a = ask(post("/api/v1/keys",
                    R"({"name":"ci","scopes":["ingest"],"expires_at":)"
                    R"("2126-01-01T00:00:00Z"})",
                    admin));
  ASSERT_EQ(a.status, 201) << a.body;
  EXPECT_EQ(a.header("cache-control"), "no-store");
  const auto at = a.body.find("\"key\":\"ew_");
  ASSERT_NE(at, std::string::npos);
  const auto text = a.body.substr(at + 7, a.body.find('"', at + 7) - at - 7);
  const auto id = text.substr(3, 16);
  EXPECT_EQ(ask(post("/events", "{}", "Authorization: Bearer " + text + "\r\n"))
                .status,
            200);
  a = ask(get("/api/v1/keys", admin));
  EXPECT_THAT(a.body, HasSubstr("\"id\":\"" + id + "\",\"name\":\"ci\""));
  EXPECT_THAT(a.body, Not(HasSubstr(text.substr(20))));
  EXPECT_THAT(a.body, Not(HasSubstr("hash")));
  const auto drop =
      "DELETE /api/v1/keys/" + id + " HTTP/1.1\r\nHost: a\r\n" + admin + "\r\n";
  EXPECT_EQ(ask(drop).status, 204);
  EXPECT_EQ(ask(post("/events", "{}", "Authorization: Bearer " + text + "\r\n"))
                .status,
            401);
  for (const auto* bad :
       {R"({})", R"({"scopes":[]})", R"({"scopes":["root"]})",
        R"({"scopes":["admin"],"filter":{"platforms":["github"]}})",
        R"({"scopes":["read"],"filter":{"platforms":["a\u0000"]}})",
        R"({"scopes":["read"],"filter":{}})",
        R"({"scopes":["read"],"filter":{"source_names":[]}})",
        R"({"scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"})",
        R"({"scopes":["read"],"color":"red"})", R"({"scopes":"read"})"})
    EXPECT_EQ(ask(post("/api/v1/keys", bad, admin)).status, 422) << bad;
  // No filter is one way to see everything.
  for (const auto* good :
       {R"({"scopes":["read"]})", R"({"scopes":["read"],"filter":null})"})
    EXPECT_THAT(ask(post("/api/v1/keys", good, admin)).body,
                HasSubstr("\"filter\":null"));
  for (const auto* bad : {"[]", R"({"scopes":["read"],"scopes":["admin"]})"})
    EXPECT_EQ(ask(post("/api/v1/keys", bad, admin)).status, 400) << bad;

  const auto all = access_.entries();
  ASSERT_GE(all.size(), 3u);
  EXPECT_EQ(all[0].action, "POST /api/v1/keys");
  EXPECT_EQ(all[0].target, id);
  EXPECT_EQ(all[0].status, 201);
  EXPECT_EQ(all[0].actor_kind, "api_key");
  EXPECT_EQ(all[0].actor, admin.substr(25, 16));
  EXPECT_EQ(all[0].address, "127.0.0.1");
  EXPECT_EQ(all[2].action, "DELETE /api/v1/keys/{id}");
  EXPECT_EQ(all[2].status, 204);
  a = ask(get("/api/v1/audit?limit=2", admin));
  EXPECT_EQ(a.status, 200);
  EXPECT_THAT(a.body, HasSubstr("\"next_cursor\":\""));
  EXPECT_EQ(ask(get("/api/v1/audit?color=red", admin)).status, 400);
  a = ask(get("/api/v1/keys?limit=1", admin));
  EXPECT_THAT(a.body, HasSubstr("\"next_cursor\":\""));
}

TEST_F(access_test, RefusedManagementIsWrittenDownToo) {
  start_locked();
  EXPECT_EQ(ask(get("/api/v1/keys", access_.header("manage"))).status, 403);
  EXPECT_EQ(ask(get("/api/v1/keys")).status, 401);
  const auto all = access_.entries();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].status, 403);
}

TEST_F(access_test, WhatCannotBeWrittenDownIsNotDone) {
  start_locked();
  access_.recording = false;
  const auto a = ask(
      post("/api/v1/keys", R"({"scopes":["read"]})", access_.header("admin")));
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(ask(get("/api/v1/streams", access_.header("read"))).status, 200);
}

// -- pages --------------------------------------------------------------------

TEST_F(access_test, PagesOfOtherOriginsOpenNoStreams) {
  server_.allowed_origins = {"https://app.example.org"};
  backend_.access_ = nullptr;
  start();
  const auto sse = [&](const std::string& origin) {
    auto c = connect();
    c.send("HEAD /events/stream/all_events HTTP/1.1\r\nHost: localhost\r\n"
           "Origin: " +
           origin + "\r\n\r\n");
    return c.read_answer(true);
  };
  EXPECT_EQ(sse("https://evil.example").status, 403);
  EXPECT_EQ(sse("http://localhost").status, 200);
  const auto listed = sse("https://app.example.org");
  EXPECT_EQ(listed.status, 200);
  EXPECT_EQ(listed.header("access-control-allow-origin"),
            "https://app.example.org");
  auto c = connect();
  c.send(
      get("/events/stream/all_events", "Origin: https://app.example.org\r\n"));
  EXPECT_THAT(c.read_until("\r\n\r\n"),
              HasSubstr("Access-Control-Allow-Origin: https://app.example.org"
                        "\r\nVary: Origin\r\n"));
}

TEST_F(access_test, PagesOfOtherOriginsManageNothing) {
  server_.allowed_origins = {"https://app.example.org"};
  backend_.access_ = nullptr;
  start();
  const auto make = [&](const std::string& more) {
    return ask(post("/api/v1/streams", R"({"name":"mine"})", more));
  };
  const auto a = make("Origin: https://evil.example\r\n");
  EXPECT_EQ(a.status, 403);
  EXPECT_THAT(a.body, HasSubstr("server.allowed_origins"));
  EXPECT_EQ(make("Origin: null\r\n").status, 403);
  EXPECT_THAT(
      metrics_.text(),
      HasSubstr(R"(eventweft_access_refused_total{reason="origin"} 2)"));
  EXPECT_EQ(make("Origin: http://localhost\r\n").status, 201);
  EXPECT_EQ(make("Origin: https://app.example.org\r\n").status, 409);
}

/// Its own name, which leads to us by now, makes a page look like one of ours.
TEST_F(access_test, ANameOfAPagesOwnOpensNothing) {
  server_.allowed_origins = {"https://app.example.org"};
  backend_.access_ = nullptr;
  start();
  const auto asked = [&](const std::string& host, const std::string& more,
                         const std::string& path = "/api/v1/events") {
    return ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more +
               "\r\n");
  };
  const std::string reads = "Accept-Language: en\r\n";
  const auto a = asked("evil.example:8080", reads);
  EXPECT_EQ(a.status, 403);
  EXPECT_THAT(a.body, HasSubstr("server.allowed_origins"));
  EXPECT_EQ(asked("evil.example", "Origin: http://evil.example\r\n").status,
            403);
  EXPECT_EQ(asked("evil.example", reads, "/healthz").status, 200);
  for (const auto* host :
       {"127.0.0.1:8080", "[::1]:8080", "localhost:8080", "app.example.org"})
    EXPECT_EQ(asked(host, reads).status, 200) << host;
  // Programs have no pages, by whatever name they know us.
  EXPECT_EQ(asked("hub.internal:8080", "").status, 200);
}

TEST_F(access_test, CredentialsStandInForTheName) {
  start_locked();
  EXPECT_EQ(ask("GET /api/v1/events HTTP/1.1\r\nHost: hub.example.org\r\n"
                "Origin: https://hub.example.org\r\n" +
                access_.header("read") + "\r\n")
                .status,
            200);
}

TEST_F(access_test, BodiesAreJson) {
  backend_.access_ = nullptr;
  start();
  const auto typed = [&](const std::string& type) {
    return ask("POST /api/v1/streams HTTP/1.1\r\nHost: a\r\n" + type +
               "Content-Length: 15\r\n\r\n{\"name\":\"mine\"}")
        .status;
  };
  EXPECT_EQ(typed(""), 415);
  EXPECT_EQ(typed("Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(typed("Content-Type: application/x-www-form-urlencoded\r\n"), 415);
  EXPECT_EQ(typed("Content-Type: text/plain;application/json\r\n"), 415);
  EXPECT_EQ(typed("Content-Type: Application/JSON; charset=utf-8\r\n"), 201);
  EXPECT_EQ(typed("Content-Type: application/merge-patch+json\r\n"), 409);
  // Without a body there is nothing to say about it.
  EXPECT_EQ(
      ask("DELETE /api/v1/streams/mine HTTP/1.1\r\nHost: a\r\n\r\n").status,
      204);
}

TEST_F(access_test, AnswersPreflightsOfListedPages) {
  server_.allowed_origins = {"https://app.example.org"};
  start_locked();
  const auto preflight = [&](const std::string& origin) {
    return ask("OPTIONS /api/v1/tickets HTTP/1.1\r\nHost: a\r\nOrigin: " +
               origin + "\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  };
  const auto a = preflight("https://app.example.org");
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.header("access-control-allow-methods"), "POST");
  EXPECT_EQ(a.header("access-control-allow-origin"), "https://app.example.org");
  EXPECT_EQ(preflight("https://evil.example").status, 405);
}

} // namespace
} // namespace eventweft::net
