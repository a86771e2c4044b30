def test_x(tiny_transformer, flux_inputs):
    print(tiny_transformer(**flux_inputs())[0].shape)
