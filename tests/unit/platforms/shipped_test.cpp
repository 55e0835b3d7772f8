// SPDX-License-Identifier: Apache-2.0
// The definitions in config/platforms/, each with signatures that Python's
// hmac or OpenSSL's command line made.
#include "actors/platforms/declarative.hpp"
#include "actors/platforms/signature_signer.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

class shipped_test : public platform_test {
 protected:
  platform_ptr make(std::string_view name, config::platform_settings s) {
    const auto file = std::string{name} + ".toml";
    for (const auto& d : shipped_definitions())
      if (d.file == file)
        return make_declarative(read_definition(d.text, d.file).value(),
                                parts(std::move(s)))
            .value();
    ADD_FAILURE() << "no " << file;
    return nullptr;
  }

  static webhook altered(webhook w) {
    std::string text{w.body.view()};
    text.insert(1, " ");
    w.body = shared_text{std::move(text)};
    return w;
  }

  static webhook truncated(webhook w) {
    w.body = shared_text{std::string{w.body.view().substr(0, 20)}};
    return w;
  }

  // What every platform's proof must withstand.
  void expect_only_genuine(const platform_ptr& p, const webhook& w,
                           std::string_view header) {
    EXPECT_TRUE(p->accept(w));
    EXPECT_TRUE(refused(p->accept(altered(w)), ec::unauthorized, ""));
    EXPECT_TRUE(refused(p->accept(truncated(w)), ec::unauthorized, ""));
    EXPECT_TRUE(
        refused(p->accept(without(w, header)), ec::unauthorized, "missing"));
    const auto wrong =
        make(p->name(), p->name() == "gitlab"
                            ? secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
                            : secret("wrong"));
    EXPECT_TRUE(refused(wrong->accept(w), ec::unauthorized, ""));
    EXPECT_TRUE(refused(make(p->name(), {})->accept(w), ec::unauthorized,
                        "no secret is configured"));
    // A second delivery of the same is the same event.
    EXPECT_EQ(only(p->accept(w)).event_id, only(p->accept(w)).event_id);
  }
};

TEST_F(shipped_test, gitlab_signed) {
  const auto p = make(
      "gitlab", secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
  const auto w = post(
      R"({"object_kind":"merge_request","user":{"id":1,)"
      R"("username":"root"},"project":{"id":7,)"
      R"("path_with_namespace":"group/app"},)"
      R"("object_attributes":{"iid":3,"action":"open"}})",
      {{"webhook-id", "e5e6"},
       {"webhook-timestamp", std::to_string(test_seconds)},
       {"webhook-signature", "v1,SrYVM4uQZQgOKy5V56YTvyNFmVnd5VE+hTewz4FxrkA="},
       {"x-gitlab-event", "Merge Request Hook"},
       {"x-gitlab-instance", "https://gitlab.example.com"}});
  expect_only_genuine(p, w, "webhook-signature");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.platform, "gitlab");
  EXPECT_EQ(ev.event_id, "e5e6");
  EXPECT_EQ(ev.event_type, "merge_request:open");
  EXPECT_EQ(ev.source_id, "7");
  EXPECT_EQ(ev.source_name, "group/app");
  EXPECT_EQ(ev.actor_id, "1");
  EXPECT_EQ(ev.actor_name, "root");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_EQ(ev.metadata, R"({"event":"Merge Request Hook","iid":"3",)"
                         R"("instance":"https://gitlab.example.com"})");
}

TEST_F(shipped_test, gitlab_with_the_older_token) {
  const auto p = make("gitlab", secret("older token"));
  const auto w = post(R"({"object_kind":"merge_request","user":{"id":1,)"
                      R"("username":"root"},"project":{"id":7,)"
                      R"("path_with_namespace":"group/app"},)"
                      R"("object_attributes":{"iid":3,"action":"open"}})",
                      {{"x-gitlab-token", "older token"},
                       {"x-gitlab-event", "Merge Request Hook"},
                       {"x-gitlab-webhook-uuid", "w"},
                       {"x-gitlab-event-uuid", "e"}});
  // An event that sets off further ones shares its id with them.
  const auto id = only(p->accept(w)).event_id;
  EXPECT_TRUE(id.starts_with("w:e:")) << id;
  EXPECT_EQ(id.size(), 4u + 64u);
  auto wrong = without(w, "x-gitlab-token");
  EXPECT_TRUE(refused(p->accept(wrong), ec::unauthorized, "missing"));
  wrong.headers.emplace_back("x-gitlab-token", "older tokem");
  EXPECT_TRUE(refused(p->accept(wrong), ec::unauthorized, "is wrong"));
}

TEST_F(shipped_test, gitlab_never_falls_back_to_the_token) {
  config::platform_settings s;
  s.secrets = {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
               "older token"};
  auto w = post(R"({"object_kind":"merge_request","user":{"id":1,)"
                R"("username":"root"},"project":{"id":7,)"
                R"("path_with_namespace":"group/app"},)"
                R"("object_attributes":{"iid":3,"action":"open"}})",
                {{"webhook-id", "e5e6"},
                 {"webhook-timestamp", std::to_string(test_seconds)},
                 {"webhook-signature", "v1,AAAA"},
                 {"x-gitlab-token", "older token"}});
  EXPECT_TRUE(refused(make("gitlab", s)->accept(w), ec::unauthorized,
                      "Webhook-Signature does not match"));
  // Nor does a signing secret pass as a token.
  w = post(R"({"object_kind":"merge_request","user":{"id":1,)"
           R"("username":"root"},"project":{"id":7,)"
           R"("path_with_namespace":"group/app"},)"
           R"("object_attributes":{"iid":3,"action":"open"}})",
           {{"webhook-id", "e5e6"},
            {"x-gitlab-token",
             "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}});
  EXPECT_TRUE(
      refused(make("gitlab",
                   secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
                  ->accept(w),
              ec::unauthorized, ""));
}

TEST_F(shipped_test, stripe) {
  const auto p = make("stripe", secret("whsec_test_secret"));
  const auto with = [](std::string signature) {
    return post(R"({"id":"evt_1","object":"event",)"
                R"("type":"charge.dispute.created","account":"acct_1",)"
                R"("livemode":true,"data":{"object":{"id":"dp_1",)"
                R"("object":"dispute","customer":"cus_1"}}})",
                {{"stripe-signature", std::move(signature)},
                 {"content-type", "application/json; charset=utf-8"}});
  };
  const auto w = with(
      "t=1769860800,v1="
      "b9e6cb5ec69487f30bc25b5b3fe1b08e9f2f09b4bb3f866782388c5e38a4891f,v0="
      "6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39");
  expect_only_genuine(p, w, "stripe-signature");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "evt_1");
  EXPECT_EQ(ev.event_type, "charge.dispute.created");
  EXPECT_EQ(ev.source_id, "acct_1");
  EXPECT_EQ(ev.actor_id, "cus_1");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_EQ(ev.metadata, R"({"livemode":"true","object_id":"dp_1"})");
  // While a secret is being rolled there are two.
  EXPECT_TRUE(p->accept(with(
      "t=1769860800,v1=00,v1="
      "b9e6cb5ec69487f30bc25b5b3fe1b08e9f2f09b4bb3f866782388c5e38a4891f")));
  EXPECT_TRUE(refused(
      p->accept(with(
          "t=1769860800,v0="
          "b9e6cb5ec69487f30bc25b5b3fe1b08e9f2f09b4bb3f866782388c5e38a4891f")),
      ec::unauthorized, "form"));
  EXPECT_TRUE(refused(
      p->accept(with(
          "v1="
          "b9e6cb5ec69487f30bc25b5b3fe1b08e9f2f09b4bb3f866782388c5e38a4891f")),
      ec::unauthorized, "header Stripe-Signature: t is missing"));
  EXPECT_TRUE(refused(
      p->accept(with(
          "t=1769860801,v1="
          "b9e6cb5ec69487f30bc25b5b3fe1b08e9f2f09b4bb3f866782388c5e38a4891f")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      p->accept(with(
          "t=1769860499,v1="
          "eaa6fcee93a90f486d5e7b77db86cace4c6f610e69516060581e63582298f911")),
      ec::unauthorized, "header Stripe-Signature: t: signed more than"));
  // Stripe's libraries do not look ahead.
  EXPECT_TRUE(p->accept(with(
      "t=1769864400,v1="
      "ffd69c905d82b170923624d407b77d948421c88ae4b735b5c02edfcb13958d92")));
}

TEST_F(shipped_test, pagerduty) {
  const auto p = make("pagerduty", secret("pd secret"));
  const auto with = [](std::string signature) {
    return post(
        R"({"event":{"id":"01BJA","event_type":"incident.triggered",)"
        R"("resource_type":"incident",)"
        R"("occurred_at":"2026-01-31T12:00:00Z","agent":{"id":"PLH1HKV",)"
        R"("summary":"Tenex"},"data":{"id":"PGR0VU2","number":2,)"
        R"("title":"A little bump","urgency":"high",)"
        R"("service":{"id":"PF9KMXH","summary":"API"}}}})",
        {{"x-pagerduty-signature", std::move(signature)},
         {"x-webhook-id", "P8NLIHU"}});
  };
  expect_only_genuine(
      p,
      with("v1="
           "7f6619f9c354b674f32152bdfb787c0e5f37d4735e2965fa0bff2a11872b04ba"),
      "x-pagerduty-signature");
  EXPECT_TRUE(p->accept(with(
      "v1=fd47fedee23c5c7aaf140226664042e05509b1ce315ff97732f8841a171b49e8,v1="
      "7f6619f9c354b674f32152bdfb787c0e5f37d4735e2965fa0bff2a11872b04ba")));
  EXPECT_TRUE(refused(
      p->accept(with(
          "v1="
          "fd47fedee23c5c7aaf140226664042e05509b1ce315ff97732f8841a171b49e8")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      p->accept(with(
          "v2="
          "7f6619f9c354b674f32152bdfb787c0e5f37d4735e2965fa0bff2a11872b04ba")),
      ec::unauthorized, "form"));
  const auto ev = only(p->accept(with(
      "v1=7f6619f9c354b674f32152bdfb787c0e5f37d4735e2965fa0bff2a11872b04ba")));
  EXPECT_EQ(ev.event_id, "01BJA");
  EXPECT_EQ(ev.event_type, "incident.triggered");
  EXPECT_EQ(ev.source_id, "PF9KMXH");
  EXPECT_EQ(ev.source_name, "API");
  EXPECT_EQ(ev.actor_id, "PLH1HKV");
  EXPECT_EQ(ev.actor_name, "Tenex");
  EXPECT_EQ(ev.priority, priority::critical);
}

TEST_F(shipped_test, sentry) {
  const auto p = make("sentry", secret("client secret"));
  const auto w = post(
      R"({"action":"created","installation":{"uuid":"in-1"},)"
      R"("data":{"issue":{"id":"9","shortId":"APP-1",)"
      R"("project":{"id":"4","slug":"app"}}},"actor":{"type":"user",)"
      R"("id":"5","name":"Ann"}})",
      {{"sentry-hook-signature",
        "c4c4362ab4855403a9571709ebc4505cbdd8f7fb453eb20f3d44618ceac5abdf"},
       {"sentry-hook-timestamp", "1"},
       {"sentry-hook-resource", "issue"},
       {"request-id", "3b6ea1ac"}});
  expect_only_genuine(p, w, "sentry-hook-signature");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "3b6ea1ac");
  EXPECT_EQ(ev.event_type, "issue:created");
  EXPECT_EQ(ev.source_id, "4");
  EXPECT_EQ(ev.source_name, "app");
  EXPECT_EQ(ev.actor_name, "Ann");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_LT(p->answer_within(), std::chrono::seconds{1});
  EXPECT_TRUE(refused(p->accept(without(w, "request-id")), ec::malformed,
                      "no delivery id: {header:Request-ID} is missing"));
  EXPECT_TRUE(refused(p->accept(without(w, "sentry-hook-resource")),
                      ec::malformed, "no event type"));
}

TEST_F(shipped_test, vercel) {
  const auto p = make("vercel", secret("vercel secret"));
  const auto w = post(
      R"({"id":"evt_v1","type":"deployment.succeeded",)"
      R"("createdAt":1769860800000,"payload":{"team":{"id":"team_1"},)"
      R"("user":{"id":"user_1"},"project":{"id":"prj_1"},"name":"site",)"
      R"("target":"production","deployment":{"id":"dpl_1",)"
      R"("url":"site.example.com"}}})",
      {{"x-vercel-signature", "8ca323f52548ded9f42291355cdd9d69946ff4b2"}});
  expect_only_genuine(p, w, "x-vercel-signature");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "evt_v1");
  EXPECT_EQ(ev.event_type, "deployment.succeeded");
  EXPECT_EQ(ev.source_id, "prj_1");
  EXPECT_EQ(ev.source_name, "site");
  EXPECT_EQ(ev.actor_id, "user_1");
  EXPECT_EQ(ev.priority, priority::high);
}

TEST_F(shipped_test, finds_the_name_of_vercels_project_wherever_it_is) {
  const auto p = make("vercel", unsigned_allowed());
  const auto name_in = [&](const std::string& payload) {
    return only(p->accept(
                    post(R"({"id":"1","type":"t","payload":)" + payload + "}")))
        .source_name;
  };
  constexpr auto deployment = R"("deployment":{"id":"dpl_1","name":"new"})";
  EXPECT_EQ(
      name_in("{" + std::string{deployment} + R"(,"project":{"id":"prj_1"}})"),
      "new");
  EXPECT_EQ(name_in("{" + std::string{deployment} + R"(,"name":"old"})"),
            "old");
  EXPECT_EQ(name_in("{" + std::string{deployment} +
                    R"(,"project":{"id":"prj_1","name":"own"}})"),
            "own");
}

TEST_F(shipped_test, jira) {
  const auto p = make("jira", secret("jira secret"));
  const auto with = [](std::string signature) {
    return post(R"({"timestamp":1769860800000,)"
                R"("webhookEvent":"jira:issue_updated",)"
                R"("issue_event_type_name":"issue_generic",)"
                R"("user":{"accountId":"5b10","displayName":"Mia"},)"
                R"("issue":{"id":"10002","key":"ED-1",)"
                R"("fields":{"project":{"id":"10000","key":"ED"}}}})",
                {{"x-hub-signature", std::move(signature)},
                 {"x-atlassian-webhook-identifier", "9f1a"},
                 {"x-atlassian-webhook-flow", "Primary"}});
  };
  expect_only_genuine(
      p,
      with("sha256="
           "cd545f5546d00c6b43914d03d41fe3f234ad159e7a43bfc2a2d88d334b9c9809"),
      "x-hub-signature");
  // The method is what the prefix says.
  EXPECT_TRUE(p->accept(
      with("sha512="
           "aff697b242c2b2644c6da002d19b2a697c7d6cf632e3b854b12877e5fda856f2c9f"
           "d6f08e5d20b3bc55326d8fd143940f63eb77edad2742ac66c385c0901acba")));
  EXPECT_TRUE(refused(
      p->accept(with(
          "sha512="
          "cd545f5546d00c6b43914d03d41fe3f234ad159e7a43bfc2a2d88d334b9c9809")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(
      refused(p->accept(with("sha1=d0eb55d42e1e3bf8e813204684d81870bc74ad99")),
              ec::unauthorized, "form"));
  EXPECT_TRUE(refused(
      p->accept(with(
          "cd545f5546d00c6b43914d03d41fe3f234ad159e7a43bfc2a2d88d334b9c9809")),
      ec::unauthorized, "form"));
  const auto ev = only(p->accept(with(
      "sha256="
      "cd545f5546d00c6b43914d03d41fe3f234ad159e7a43bfc2a2d88d334b9c9809")));
  EXPECT_EQ(ev.event_id, "9f1a");
  EXPECT_EQ(ev.event_type, "jira:issue_updated");
  EXPECT_EQ(ev.source_name, "ED");
  EXPECT_EQ(ev.actor_name, "Mia");
  EXPECT_EQ(ev.priority, priority::high);
}

TEST_F(shipped_test, bitbucket) {
  const auto p = make("bitbucket", secret("bb secret"));
  const auto w = post(
      R"({"repository":{"uuid":"{r-1}","full_name":"team/repo"},)"
      R"("actor":{"uuid":"{a-1}","nickname":"emma"},)"
      R"("pullrequest":{"id":5}})",
      {{"x-hub-signature",
        "sha256="
        "bf38c2306368e2784d3a8339b1bc0cd1856bd85200d10141698efe6fb770e772"},
       {"x-event-key", "pullrequest:created"},
       {"x-request-uuid", "{q-1}"},
       {"x-hook-uuid", "{h-1}"}});
  expect_only_genuine(p, w, "x-hub-signature");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "{q-1}");
  EXPECT_EQ(ev.event_type, "pullrequest:created");
  EXPECT_EQ(ev.source_id, "{r-1}");
  EXPECT_EQ(ev.source_name, "team/repo");
  EXPECT_EQ(ev.actor_name, "emma");
  EXPECT_EQ(ev.priority, priority::high);
}

TEST_F(shipped_test, shopify) {
  const auto p = make("shopify", secret("shop secret"));
  const auto w =
      post(R"({"id":820982911946154508,"customer":{"id":115310627314723954,)"
           R"("email":"john@example.com"},"total_price":"403.00"})",
           {{"x-shopify-hmac-sha256",
             "+9Zt1EK6/7MWwsSYw39skQsRkGB0q/ZGSjU/oEskhfI="},
            {"x-shopify-topic", "orders/create"},
            {"x-shopify-webhook-id", "b54557e4"},
            {"x-shopify-shop-domain", "one.example.com"}});
  expect_only_genuine(p, w, "x-shopify-hmac-sha256");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.event_id, "b54557e4");
  EXPECT_EQ(ev.event_type, "orders/create");
  EXPECT_EQ(ev.source_name, "one.example.com");
  EXPECT_EQ(ev.actor_id, "115310627314723954");
}

TEST_F(shipped_test, standard_webhooks_of_any_sender) {
  for (const std::string start : {"webhook", "svix"}) {
    const auto p =
        make("standard-webhooks",
             secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="));
    const auto w =
        post(R"({"type":"invoice.paid","timestamp":"2026-01-31T12:00:00Z",)"
             R"("data":{"id":"inv_1"}})",
             {{start + "-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"},
              {start + "-timestamp", std::to_string(test_seconds)},
              {start + "-signature",
               "v1,L/4sc4jtmPrQEGv3Rs3+ZQeZjWcLkYrfAgeUfI63FRc="}});
    expect_only_genuine(p, w, start + "-signature");
    const auto ev = only(p->accept(w));
    EXPECT_EQ(ev.event_id, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
    EXPECT_EQ(ev.event_type, "invoice.paid");
    EXPECT_EQ(ev.source_id, "inv_1");
  }
}

TEST_F(shipped_test, standard_webhooks_published_vector) {
  manual_clock then{timestamp{std::chrono::seconds{1614265330}}};
  const auto p =
      make_declarative(
          read_definition(R"(name = "x"
[[signature]]
standard_webhooks = "webhook"
[event]
id = "{header:webhook-id}"
type = "test"
)",
                          "x.toml")
              .value(),
          {secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), then, random_})
          .value();
  EXPECT_TRUE(
      p->accept(post(R"({"test": 2432232314})",
                     {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                      {"webhook-timestamp", "1614265330"},
                      {"webhook-signature",
                       "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}})));
}

TEST_F(shipped_test, standard_webhooks_with_ed25519) {
  const auto p =
      make("standard-webhooks",
           secret("whpk_XNcI8bgY82rvZMGv87HTYUycEQY/8p8UbqCjVD8nQtY="));
  const auto with = [](std::string signature) {
    return post(R"({"type":"invoice.paid","timestamp":"2026-01-31T12:00:00Z",)"
                R"("data":{"id":"inv_1"}})",
                {{"webhook-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"},
                 {"webhook-timestamp", std::to_string(test_seconds)},
                 {"webhook-signature", std::move(signature)}});
  };
  EXPECT_TRUE(p->accept(with("v1a,FK/"
                             "TBxfpxTYpUC98Eb22Ay7Y0hbaLpJXi4AaqJr7pWOO+"
                             "oiaUy5nlIgKutQSfES2vGeBeYrdkwtxyZ/+kS54BA==")));
  EXPECT_TRUE(p->accept(with("v1,AAAA "
                             "v1a,FK/"
                             "TBxfpxTYpUC98Eb22Ay7Y0hbaLpJXi4AaqJr7pWOO+"
                             "oiaUy5nlIgKutQSfES2vGeBeYrdkwtxyZ/+kS54BA==")));
  EXPECT_TRUE(refused(
      p->accept(altered(with("v1a,FK/"
                             "TBxfpxTYpUC98Eb22Ay7Y0hbaLpJXi4AaqJr7pWOO+"
                             "oiaUy5nlIgKutQSfES2vGeBeYrdkwtxyZ/+kS54BA=="))),
      ec::unauthorized, "does not match"));
  // The public key is no shared secret.
  EXPECT_TRUE(refused(
      p->accept(with("v1,wo3zEeOq6TknxGuMTNjW5MX78Jh5UR3pHawZDAfRp2A=")),
      ec::unauthorized, ""));
  EXPECT_TRUE(
      refused(make("standard-webhooks",
                   secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="))
                  ->accept(with("v1a,FK/"
                                "TBxfpxTYpUC98Eb22Ay7Y0hbaLpJXi4AaqJr7pWOO+"
                                "oiaUy5nlIgKutQSfES2vGeBeYrdkwtxyZ/+kS54BA==")),
              ec::unauthorized, ""));
}

TEST_F(shipped_test, refuse_secrets_that_are_none) {
  for (const auto& d : shipped_definitions())
    if (d.file == "standard-webhooks.toml") {
      const auto made = make_declarative(
          read_definition(d.text, d.file).value(), parts(secret("whsk_AAAA")));
      ASSERT_FALSE(made);
      EXPECT_EQ(made.error().code, ec::bad_configuration);
      EXPECT_NE(made.error().message.find(
                    "[platforms.standard-webhooks] secrets: entry 1"),
                std::string::npos);
    }
}

// What signs is the inverse of what verifies, for all of them.
TEST_F(shipped_test, all_take_what_is_signed_by_their_definition) {
  const std::map<std::string, std::string, std::less<>> bodies = {
      {"gitlab", R"({"object_kind":"push"})"},
      {"jira", R"({"webhookEvent":"jira:issue_created"})"},
      {"pagerduty", R"({"event":{"id":"1","event_type":"incident.resolved"}})"},
      {"sentry", R"({"action":"created"})"},
  };
  const std::string key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  for (const auto& d : shipped_definitions()) {
    const auto definition = read_definition(d.text, d.file).value();
    const auto& name = definition.name;
    const auto body = bodies.find(name);
    const auto unsigned_one = [&] {
      auto w = post(body == bodies.end() ? R"({"id":"d-1","type":"made"})"
                                         : body->second,
                    {});
      EXPECT_TRUE(fill_headers(definition, "d-1", "made", w)) << name;
      return w;
    };
    for (const std::string& secret_text : {key, std::string{"older token"}}) {
      const auto p = make(name, secret(secret_text));
      ASSERT_TRUE(p) << name;
      EXPECT_FALSE(p->accept(unsigned_one())) << name;
      auto w = unsigned_one();
      const auto done =
          sign(definition.signatures, secret_text, "d-1", clock_.now(), w);
      ASSERT_TRUE(done) << name << ": " << done.error().message;
      const auto taken = p->accept(w);
      EXPECT_TRUE(taken) << name << ": " << taken.error().message;
      auto other = unsigned_one();
      ASSERT_TRUE(sign(definition.signatures,
                       secret_text == key
                           ? "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                           : "another",
                       "d-1", clock_.now(), other));
      EXPECT_FALSE(p->accept(other)) << name;
    }
  }
}

TEST_F(shipped_test, nobody_signs_for_a_private_key) {
  for (const auto& d : shipped_definitions())
    if (d.file == "standard-webhooks.toml") {
      webhook w;
      const auto done =
          sign(read_definition(d.text, d.file).value().signatures,
               "whpk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "d", {}, w);
      ASSERT_FALSE(done);
      EXPECT_NE(done.error().message.find("private key"), std::string::npos);
    }
}

} // namespace
} // namespace eventweft::platforms
