CREATE INDEX addresses_of_resource ON addresses (resource_id);
CREATE INDEX devices_of_subscriber ON devices (subscriber_id);
CREATE INDEX groups_of_subscriber ON members (subscriber_id);
CREATE INDEX codes_by_maker ON pairing_codes (maker);
CREATE INDEX codes_by_claimant ON pairing_codes (claimed_by)
