"""Recipe of `sd-mini`, `instruct-pix2pix-mini` and `sd-inpaint-mini`: Stable Diffusion's classes at mini size."""
