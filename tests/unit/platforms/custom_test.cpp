// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/custom.hpp"
#include "crypto/digest.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

class custom_test : public platform_test {
 protected:
  platform_ptr make(config::platform_settings s = unsigned_allowed()) {
    return make_custom(parts(std::move(s)), {"events", "github", "slack"})
        .value();
  }

  expected<acceptance> read(std::string body, const header_list& headers = {}) {
    return make()->accept(post(std::move(body), headers));
  }
};

TEST_F(custom_test, reads_native_json) {
  const auto ev = only(
      read(R"({"event_type":"order:paid","event_id":"7","platform":"shop",)"
           R"("source_id":"s","source_name":"S","actor_id":5,"actor_name":"A",)"
           R"("priority":"critical","correlation_id":null,)"
           R"("parent_event_id":"0190a0b0-0000-7000-8000-000000000001",)"
           R"("metadata":{"k": 1},"payload":{ "b":1, "a":[2] }})"));
  EXPECT_EQ(ev.platform, "shop");
  EXPECT_EQ(ev.event_id, "7");
  EXPECT_EQ(ev.event_type, "order:paid");
  EXPECT_EQ(ev.source_id, "s");
  EXPECT_EQ(ev.source_name, "S");
  EXPECT_EQ(ev.actor_id, "5");
  EXPECT_EQ(ev.actor_name, "A");
  EXPECT_EQ(ev.priority, priority::critical);
  EXPECT_FALSE(ev.correlation_id);
  EXPECT_EQ(to_string(*ev.parent_event_id),
            "0190a0b0-0000-7000-8000-000000000001");
  EXPECT_EQ(ev.metadata, R"({"k": 1})");
  EXPECT_EQ(ev.payload.view(), R"({ "b":1, "a":[2] })");
}

TEST_F(custom_test, notes_the_trace_of_a_request_with_one_event) {
  const std::string trace =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const header_list header{{"traceparent", trace}};
  EXPECT_EQ(only(read(R"({"event_type":"x"})", header)).metadata,
            R"({"traceparent":")" + trace + "\"}");
  EXPECT_EQ(
      only(read(R"({"event_type":"x","metadata":{"k": 1}})", header)).metadata,
      R"({"k": 1,"traceparent":")" + trace + "\"}");
  // The event knows better.
  EXPECT_EQ(
      only(read(R"({"event_type":"x","metadata":{"traceparent":"t"}})", header))
          .metadata,
      R"({"traceparent":"t"})");
  EXPECT_EQ(
      only(read(R"({"event_type":"x"})", {{"traceparent", "00-x"}})).metadata,
      "{}");
  const auto many = read(R"([{"event_type":"x"},{"event_type":"y"}])", header);
  ASSERT_TRUE(many);
  for (const auto& ev : many->events)
    EXPECT_EQ(ev.metadata, "{}");
}

TEST_F(custom_test, needs_no_more_than_a_type) {
  const auto p = make();
  const auto w = post(R"({"event_type":"x"})");
  const auto first = only(p->accept(w));
  const auto second = only(p->accept(w));
  EXPECT_EQ(first.platform, "custom");
  EXPECT_EQ(first.payload.view(), "null");
  EXPECT_EQ(first.metadata, "{}");
  // Without a name of its own every request is a new event.
  EXPECT_EQ(first.event_id, to_string(first.id));
  EXPECT_NE(first.event_id, second.event_id);
}

TEST_F(custom_test, takes_the_idempotency_key_for_the_id) {
  const header_list key{{"idempotency-key", "k-1"}};
  EXPECT_EQ(only(read(R"({"event_type":"x"})", key)).event_id, "k-1");
  EXPECT_EQ(only(read(R"({"event_type":"x","event_id":"e"})", key)).event_id,
            "e");
  const auto many =
      read(R"([{"event_type":"x"},{"event_type":"x","event_id":"e"},)"
           R"({"event_type":"x"}])",
           key);
  ASSERT_TRUE(many);
  ASSERT_EQ(many->events.size(), 3u);
  EXPECT_EQ(many->events[0].event_id, "k-1[#0]");
  EXPECT_EQ(many->events[1].event_id, "e");
  EXPECT_EQ(many->events[2].event_id, "k-1[#2]");
  EXPECT_TRUE(refused(read(R"({"event_type":"x"})", {{"idempotency-key", ""}}),
                      ec::malformed, "Idempotency-Key is empty"));
}

TEST_F(custom_test, gives_nobody_the_id_of_an_arrays_item) {
  const std::string id = "k-1[#2]";
  EXPECT_TRUE(refused(read(R"({"event_type":"x"})", {{"idempotency-key", id}}),
                      ec::malformed, "Idempotency-Key"));
  EXPECT_TRUE(refused(read(R"({"event_type":"x","event_id":")" + id + "\"}"),
                      ec::unprocessable, "/event_id"));
  const auto many = read(R"([{"event_type":"x"},{"event_type":"x",)"
                         R"("event_id":")" +
                             id + "\"}]",
                         {{"idempotency-key", "k-1[#1]"}});
  ASSERT_TRUE(many);
  EXPECT_EQ(many->events.at(0).event_id, "k-1[#1][#0]");
  EXPECT_TRUE(many->refused.at(1));
  // What only looks like one.
  for (const std::string other :
       {"k#2", "k[2]", "k[#]", "k[#2] ", "k[#2a]", "[#2", "]", "#2]", "2]"})
    EXPECT_EQ(only(read(R"({"event_type":"x","event_id":")" + other + "\"}"))
                  .event_id,
              other);
}

TEST_F(custom_test, takes_a_quoted_idempotency_key_for_what_is_in_the_quotes) {
  const auto id = [&](std::string key) {
    return only(read(R"({"event_type":"x"})",
                     {{"idempotency-key", std::move(key)}}))
        .event_id;
  };
  EXPECT_EQ(id(R"("k-1")"), "k-1");
  EXPECT_EQ(id(R"("a \"b\" \\c")"), R"(a "b" \c)");
  // Not well-formed: a key like any other.
  for (const std::string other :
       {R"("k)", R"(k")", R"(")", R"("a"b")", R"("a\b")", R"("a\")",
        R"("k";x=1)", "\"\xC3\xBC\""})
    EXPECT_EQ(id(other), other);
  EXPECT_TRUE(
      refused(read(R"({"event_type":"x"})", {{"idempotency-key", "\"\""}}),
              ec::malformed, "Idempotency-Key is empty"));
}

TEST_F(custom_test, takes_numbers_for_ids_and_names_only) {
  const auto ev = only(read(R"({"event_type":"x","event_id":1,"source_id":2,)"
                            R"("source_name":3,"actor_name":4})"));
  EXPECT_EQ(ev.event_id, "1");
  EXPECT_EQ(ev.source_name, "3");
  EXPECT_TRUE(refused(read(R"({"event_type":5})"), ec::unprocessable,
                      "/event_type is not a string"));
  EXPECT_TRUE(refused(read(R"({"event_type":"x","platform":5})"),
                      ec::unprocessable, "/platform is not a string"));
  EXPECT_TRUE(refused(read(R"({"event_type":"x","priority":5})"),
                      ec::unprocessable, "/priority is not a string"));
}

TEST_F(custom_test, refuses_members_that_are_given_twice) {
  EXPECT_TRUE(refused(read(R"({"event_type":"a","event_type":"b"})"),
                      ec::malformed, "/event_type is given twice"));
  EXPECT_TRUE(
      refused(read(R"({"event_type":"a","payload":1,"\u0070ayload":2})"),
              ec::malformed, "/payload is given twice"));
  // What the sender's own data holds is its own matter.
  EXPECT_TRUE(read(R"({"event_type":"a","payload":{"x":1,"x":2}})"));
}

TEST_F(custom_test, names_the_member_that_is_wrong) {
  const auto with = [&](std::string member) {
    return read(R"({"event_type":"x",)" + member + "}");
  };
  EXPECT_TRUE(refused(with(R"("event_tpe":"y")"), ec::unprocessable,
                      "/event_tpe is not a known member"));
  EXPECT_TRUE(refused(with(R"("id":"y")"), ec::unprocessable, "/id"));
  EXPECT_TRUE(
      refused(with(R"("source_id":{})"), ec::unprocessable, "/source_id"));
  EXPECT_TRUE(
      refused(with(R"("priority":"urgent")"), ec::unprocessable, "/priority"));
  EXPECT_TRUE(
      refused(with(R"("metadata":[])"), ec::unprocessable, "/metadata"));
  // What a variable has that was never set.
  const auto unset =
      only(with(R"("correlation_id":"00000000-0000-0000-0000-000000000000",)"
                R"("parent_event_id":"00000000-0000-0000-0000-000000000000")"));
  EXPECT_FALSE(unset.correlation_id);
  EXPECT_FALSE(unset.parent_event_id);
  EXPECT_TRUE(refused(with(R"("correlation_id":"x")"), ec::unprocessable,
                      "/correlation_id"));
  EXPECT_TRUE(
      refused(with(R"("platform":"A b")"), ec::unprocessable, "/platform"));
  EXPECT_TRUE(refused(read("{}"), ec::unprocessable, "/event_type"));
  EXPECT_TRUE(refused(read("3"), ec::malformed, "object"));
  EXPECT_TRUE(refused(read("{"), ec::malformed, ""));
}

TEST_F(custom_test, lets_nobody_pose_as_a_cloudevent) {
  EXPECT_TRUE(refused(read(R"({"event_type":"a","platform":"cloudevents"})"),
                      ec::unprocessable, "/platform"));
}

TEST_F(custom_test, lets_nobody_pose_as_the_hub) {
  EXPECT_TRUE(refused(read(R"({"event_type":"a","platform":"eventweft"})"),
                      ec::unprocessable, "/platform eventweft"));
}

TEST_F(custom_test, lets_nobody_pose_as_a_platform_that_proves_itself) {
  EXPECT_TRUE(refused(read(R"({"event_type":"push","platform":"github"})"),
                      ec::unprocessable, "github"));
}

TEST_F(custom_test, gives_an_array_one_result_an_item) {
  const auto p = make();
  const auto taken = p->accept(post(
      R"([{"event_type":"a","payload":1},{"bad":1},{"event_type":"b"}, 4])"));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->batch);
  ASSERT_EQ(taken->events.size(), 2u);
  EXPECT_EQ(taken->events[0].payload.view(), "1");
  EXPECT_EQ(taken->events[1].event_type, "b");
  append_outcome one, two;
  one.seq = 11;
  two.seq = 12;
  const std::vector<event_outcome> stored{one, two};
  const auto answer = p->answer(*taken, stored);
  EXPECT_EQ(answer.status, 200);
  simdjson::dom::parser parser;
  const simdjson::dom::array results = parser.parse(answer.body).get_array();
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(int64_t{results.at(0)["seq"]}, 11);
  EXPECT_EQ(int64_t{results.at(1)["status"]}, 422);
  EXPECT_EQ(int64_t{results.at(2)["seq"]}, 12);
  EXPECT_EQ(int64_t{results.at(3)["status"]}, 422);
  EXPECT_NE(std::string_view{results.at(1)["detail"]}.find("item 1: /bad"),
            std::string_view::npos);
}

TEST_F(custom_test, fails_an_array_of_which_nothing_is_left) {
  const auto p = make();
  const auto taken = p->accept(post(R"([{"bad":1},{}])"));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->events.empty());
  EXPECT_EQ(p->answer(*taken, {}).status, 422);
  const auto nothing = p->accept(post("[]"));
  ASSERT_TRUE(nothing);
  EXPECT_EQ(p->answer(*nothing, {}).status, 200);
  EXPECT_EQ(p->answer(*nothing, {}).body, "[]");
}

TEST_F(custom_test, limits_arrays) {
  std::string body = "[";
  for (size_t i = 0; i <= max_batch; ++i)
    body += i == 0 ? "1" : ",1";
  EXPECT_TRUE(refused(read(body + "]"), ec::too_large, "1000 events"));
}

TEST_F(custom_test, needs_a_token) {
  config::platform_settings s;
  s.tokens = {"let me in"};
  const auto p = make(s);
  auto w = post(R"({"event_type":"x"})");
  EXPECT_TRUE(refused(p->accept(w), ec::unauthorized,
                      "header Authorization or query parameter access_token"));
  w.query = "a=b&access_token=let%20me+in";
  EXPECT_TRUE(p->accept(w));
  w.query = "access_token=let%20me";
  EXPECT_TRUE(refused(p->accept(w), ec::unauthorized, "is wrong"));
  w.query.clear();
  w.headers.emplace_back("authorization", "Bearer let me in");
  EXPECT_TRUE(p->accept(w));
  EXPECT_TRUE(refused(make({})->accept(w), ec::unauthorized,
                      "no secret is configured for events"));
}

TEST_F(custom_test, redacts_each_payload) {
  auto s = unsigned_allowed();
  s.redact = {"/card"};
  s.redact_tokens = {"aws"};
  const auto taken = make(s)->accept(
      post(R"([{"event_type":"a","payload":{"card":"1"}},)"
           R"({"event_type":"b","actor_name":"AKIAZZZZZZZZZZZZZZZZ"}])"));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->events[0].payload.view(), R"({"card":"[redacted]"})");
  EXPECT_EQ(taken->events[1].actor_name, "[redacted]");
  EXPECT_NE(taken->events[1].metadata.find("token:aws"), std::string::npos);
}

TEST_F(custom_test, redacts_what_base64_hides) {
  auto s = unsigned_allowed();
  s.redact = {"/card"};
  s.redact_tokens = {"aws"};
  const auto p = make(s);
  const std::string data = R"({"card":"1","key":"AKIAZZZZZZZZZZZZZZZZ"})";
  const std::string clean = R"({"card":"[redacted]","key":"[redacted]"})";
  const auto event_of = [](const std::string& id, const std::string& bytes) {
    return R"({"specversion":"1.0","type":"t","source":"/s","id":")" + id +
           R"(","data_base64":")" + crypto::to_base64(bytes) + "\"}";
  };
  auto w = post(event_of("1", data));
  w.headers = {{"content-type", "application/cloudevents+json"}};
  const auto one = only(p->accept(w));
  EXPECT_EQ(one.payload.view(), clean);
  EXPECT_NE(one.metadata.find(R"("redacted":["/card","token:aws"])"),
            std::string::npos)
      << one.metadata;
  w = post("[" + event_of("1", "[]") + "," + event_of("2", data) + "]");
  w.headers = {{"content-type", "application/cloudevents-batch+json"}};
  const auto many = p->accept(w);
  ASSERT_TRUE(many && many->events.size() == 2);
  EXPECT_EQ(many->events[0].metadata.find("redacted"), std::string::npos);
  EXPECT_EQ(many->events[1].payload.view(), clean);
  EXPECT_NE(many->events[1].metadata.find("token:aws"), std::string::npos);
}

TEST_F(custom_test, knows_an_id_with_a_token_again) {
  auto s = unsigned_allowed();
  s.redact_tokens = {"aws"};
  const auto p = make(s);
  const std::string one = "AKIAZZZZZZZZZZZZZZZZ";
  const std::string other = "AKIAYYYYYYYYYYYYYYYY";
  const auto native = [&](const std::string& id) {
    const auto ev = only(
        p->accept(post(R"({"event_type":"a","event_id":"k:)" + id + "\"}")));
    EXPECT_EQ(ev.event_id.find(id), std::string::npos);
    EXPECT_NE(ev.metadata.find("token:aws"), std::string::npos);
    return ev.event_id;
  };
  EXPECT_EQ(native(one), native(one));
  EXPECT_NE(native(one), native(other));
  EXPECT_EQ(native(one).substr(0, 7), "sha256:");
  // As one of many, too; what is not secret stays as it is.
  const auto many = p->accept(
      post(R"([{"event_type":"a","event_id":"k"},)"
           R"({"event_type":"a","event_id":"k:)" +
           one + R"("},{"event_type":"a","event_id":"k:)" + other + "\"}]"));
  ASSERT_TRUE(many);
  EXPECT_EQ(many->events[0].event_id, "k");
  EXPECT_EQ(many->events[1].event_id, native(one));
  EXPECT_EQ(many->events[2].event_id, native(other));
  // A CloudEvent's, whichever way it comes.
  const header_list structured{
      {"content-type", "application/cloudevents+json"}};
  const auto cloud = [&](const std::string& id) {
    auto w = post(R"({"specversion":"1.0","type":"t","source":"/s","id":")" +
                  id + "\"}");
    w.headers = structured;
    return only(p->accept(w)).event_id;
  };
  const auto binary = [&](const std::string& id) {
    auto w = post("{}", {{"ce-specversion", "1.0"},
                         {"ce-type", "t"},
                         {"ce-source", "/s"},
                         {"ce-id", id}});
    return only(p->accept(w)).event_id;
  };
  EXPECT_EQ(cloud(one), cloud(one));
  EXPECT_NE(cloud(one), cloud(other));
  EXPECT_EQ(binary(one), cloud(one));
}

TEST_F(custom_test, an_id_that_its_sender_redacted_is_that_of_many) {
  const auto p = make();
  const auto w = post(R"({"event_type":"a","event_id":"[redacted]"})");
  EXPECT_NE(only(p->accept(w)).event_id, only(p->accept(w)).event_id);
}

TEST_F(custom_test, answers_the_handshake_of_cloudevents) {
  config::platform_settings s;
  s.tokens = {"t"};
  auto w = post("");
  w.method = "OPTIONS";
  w.headers.emplace_back("webhook-request-origin", "sender.example.com");
  w.headers.emplace_back("webhook-request-rate", "120");
  const auto taken = make(s)->accept(w);
  ASSERT_TRUE(taken);
  ASSERT_TRUE(taken->answer);
  const auto& headers = taken->answer->headers;
  EXPECT_EQ(taken->answer->status, 200);
  EXPECT_EQ(*find_header(headers, "WebHook-Allowed-Origin"),
            "sender.example.com");
  EXPECT_EQ(*find_header(headers, "WebHook-Allowed-Rate"), "*");
  EXPECT_EQ(*find_header(headers, "Allow"), "POST, OPTIONS");
  // A plain OPTIONS gets no consent.
  const auto plain = make(s)->accept(without(w, "webhook-request-origin"));
  ASSERT_TRUE(plain && plain->answer);
  EXPECT_EQ(find_header(plain->answer->headers, "WebHook-Allowed-Origin"),
            nullptr);
  w.method = "DELETE";
  EXPECT_TRUE(refused(make(s)->accept(w), ec::method_not_allowed, "POST"));
}

TEST_F(custom_test, takes_structured_cloudevents) {
  const auto ev = only(
      read(R"({"specversion":"1.0","id":"A 1","source":"/my/context",)"
           R"("type":"com.example.thing","subject":"cat.png",)"
           R"("time":"2018-04-05T17:31:00Z","comexampleextension1":"value",)"
           R"("n":5,"datacontenttype":"application/json",)"
           R"("data":{"appinfoA" : "abc"}})",
           {{"content-type", "application/cloudevents+json; charset=utf-8"}}));
  EXPECT_EQ(ev.platform, "cloudevents");
  EXPECT_EQ(ev.event_id, "/my/context A 1");
  EXPECT_EQ(ev.event_type, "com.example.thing");
  EXPECT_EQ(ev.source_id, "/my/context");
  EXPECT_EQ(ev.source_name, "cat.png");
  EXPECT_EQ(ev.payload.view(), R"({"appinfoA" : "abc"})");
  EXPECT_EQ(ev.metadata, R"({"cloudevents":{"id":"A 1","source":"/my/context",)"
                         R"("subject":"cat.png","time":"2018-04-05T17:31:00Z",)"
                         R"("comexampleextension1":"value","n":5,)"
                         R"("datacontenttype":"application/json"}})");
}

TEST_F(custom_test, takes_binary_cloudevents_without_copying_json) {
  const auto w = post(R"({"a":1})", {{"ce-specversion", "1.0"},
                                     {"ce-type", "t"},
                                     {"ce-source", "/s"},
                                     {"ce-id", "Euro%20%E2%82%AC"}});
  const auto ev = only(make()->accept(w));
  EXPECT_EQ(ev.event_id, "/s Euro \xE2\x82\xAC");
  EXPECT_EQ(ev.payload.view().data(), w.body.view().data());
  EXPECT_TRUE(refused(make()->accept(without(w, "ce-id")), ec::malformed,
                      "attribute id is missing"));
  auto broken = w;
  broken.body = shared_text{"{"};
  EXPECT_TRUE(refused(make()->accept(broken), ec::malformed, ""));
}

TEST_F(custom_test, takes_batches_of_cloudevents) {
  const std::string one = R"({"specversion":"1.0","id":"1","source":"/s",)"
                          R"("type":"t","data":1})";
  const header_list batch{
      {"content-type", "application/cloudevents-batch+json"}};
  const auto taken = read("[" + one + R"(,{"specversion":"1.0"}])", batch);
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->batch);
  ASSERT_EQ(taken->events.size(), 1u);
  ASSERT_EQ(taken->refused.size(), 2u);
  EXPECT_EQ(taken->refused[1]->code, ec::malformed);
  const auto with = [&](const std::string& member) {
    return read("[" + one.substr(0, one.size() - 1) + "," + member + "}]",
                batch);
  };
  for (const auto& [name, value] :
       {std::pair{"dataschema", "\"rel\""}, {"ext", "2147483648"}}) {
    const auto none = with("\"" + std::string{name} + "\":" + value);
    ASSERT_TRUE(none && none->refused.size() == 1 && none->refused[0]) << name;
    EXPECT_EQ(none->refused[0]->code, ec::malformed) << name;
    EXPECT_NE(none->refused[0]->message.find(name), std::string::npos) << name;
  }
  EXPECT_TRUE(refused(read(one, batch), ec::malformed, "JSON array"));
  EXPECT_TRUE(
      refused(read(one, {{"content-type", "application/cloudevents+avro"}}),
              ec::unsupported_media_type, "avro"));
}

TEST_F(custom_test, tells_media_types_apart) {
  EXPECT_TRUE(refused(
      read("a=1", {{"content-type", "application/x-www-form-urlencoded"}}),
      ec::unsupported_media_type, "CloudEvents"));
  EXPECT_TRUE(refused(read("{}", {{"content-type", "text/plain"}}),
                      ec::unsupported_media_type,
                      "not taken here; send application/json, or"));
}

} // namespace
} // namespace eventweft::platforms
